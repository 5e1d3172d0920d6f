using System.Collections.Concurrent;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>A ledger on a SQLite file of its own with the in-memory bus, and a worker's queue that the test reads as the worker would.</summary>
public sealed class LedgerFixture : IAsyncLifetime
{
    public const string Host = "host-a";

    private readonly string folder = Directory.CreateTempSubdirectory("ledger-").FullName;
    private readonly Guid instance = Guid.NewGuid();
    /// <summary>A worker's revisions are above the ledger's, which it is told with every run.</summary>
    private long revision;
    private IHost host = null!;

    /// <summary>The ledger's clock: the time of day, moved on by the test.</summary>
    public ShiftedTime Clock { get; } = new();

    public ConcurrentQueue<OperationRun> Runs { get; } = [];

    private readonly LedgerSignal heard = new();

    public ConcurrentQueue<Guid> Cancels { get; } = [];

    public ConcurrentQueue<Guid> Expiries { get; } = [];

    /// <summary>What was sent to the network family: to any replica, or to that of a host.</summary>
    public ConcurrentQueue<(string Queue, object Message)> ToReplicas { get; } = [];

    /// <summary>The keys of secrets, from the next start on.</summary>
    public string SecretKeys { get; set; } = SecretRing.NewKey();

    /// <summary>What the ledger has logged.</summary>
    public LogLines Log { get; } = new();

    /// <summary>What the worker announces that it can do.</summary>
    public IReadOnlyList<string> Operations { get; set; } = ["Build", "Delete", "CreateVolume", "DeleteVolume"];

    /// <summary>Where the worker announces that backing stores may lie.</summary>
    public IReadOnlyList<string>? BackingStores { get; set; } = [];

    /// <summary>The database's files, as they lie on the disk.</summary>
    public IEnumerable<string> DatabaseFiles => Directory.EnumerateFiles(folder, "ledger.db*");

    public T Get<T>()
        where T : notnull => host.Services.GetRequiredService<T>();

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        await AnnounceAsync();
    }

    /// <summary>The ledger's process ends and another one begins on the same database.</summary>
    public async Task RestartAsync()
    {
        await host.StopAsync();
        host.Dispose();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Bus:Uri"] = "memory",
            ["Ledger:Connection"] = $"Data Source={folder}/ledger.db",
            ["Secrets:Key"] = SecretKeys,
        });
        builder.Services.AddLogging(logging => logging.AddProvider(Log));
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddLedger(builder.Configuration);
        builder.Services.AddSecrets(builder.Configuration);
        builder.Services.AddSingleton(new BusEndpoint(Queues.Worker(PoolFamily.File, Host), (_, endpoint) =>
        {
            endpoint.Handler<RunOperations>(context =>
            {
                foreach (var run in context.Message.Runs)
                    Runs.Enqueue(run);
                heard.Pulse();
                return Task.CompletedTask;
            });
            endpoint.Handler<CancelRun>(context =>
            {
                Cancels.Enqueue(context.Message.OperationId);
                heard.Pulse();
                return Task.CompletedTask;
            });
            endpoint.Handler<ExpireRun>(context =>
            {
                Expiries.Enqueue(context.Message.OperationId);
                heard.Pulse();
                return Task.CompletedTask;
            });
        }));
        foreach (var queue in new[] { Queues.Worker(PoolFamily.Network), Queues.Worker(PoolFamily.Network, "host-a"), Queues.Worker(PoolFamily.Network, "host-b") })
            builder.Services.AddSingleton(new BusEndpoint(queue, (_, endpoint) =>
            {
                endpoint.Handler<RunOperations>(context => HeardAsync(context.Message.Runs.Select(run => (queue, (object)run))));
                endpoint.Handler<CancelRun>(context => HeardAsync([(queue, context.Message)]));
                endpoint.Handler<ExpireRun>(context => HeardAsync([(queue, context.Message)]));
            }));
        // As the inventory does.
        builder.Services.AddSingleton(new BusEndpoint(Queues.DeadLetters, (services, endpoint) =>
            endpoint.Handler<DeadLetter>(context => services.GetRequiredService<DeadLetterIntake>().TakeAsync(context.Message, context.CancellationToken))));
        builder.Services.AddStorageBus(builder.Configuration);
        host = builder.Build();
        await host.StartAsync();
    }

    public Task<OperationRow> AcceptAsync(ICommand command, TimeSpan? expiresIn = null) => Get<CommandIntake>().AcceptAsync(
        command, null, TestContext.Current.CancellationToken, deadline: Clock.GetUtcNow() + expiresIn);

    public async Task<StorageError> RefusedAsync(ICommand command, TimeSpan? expiresIn = null) =>
        (await Assert.ThrowsAsync<StorageException>(() => AcceptAsync(command, expiresIn))).Error;

    /// <summary>Reports as the worker of <see cref="Host"/>.</summary>
    public Task ReportAsync(params StorageEvent[] events) => AnswerAsync(events);

    /// <returns>What the worker is told.</returns>
    public Task<ReportTaken> AnswerAsync(params StorageEvent[] events) => Get<ReportProjector>().ProjectAsync(
        new HostReport(Host, PoolFamily.File, instance, events), TestContext.Current.CancellationToken);

    public StorageEvent Event<T>(T data, string resource, Guid? command = null, long? at = null)
        where T : notnull =>
        new(Guid.NewGuid(), typeof(T).Name, resource, at ?? Revisions.At(Clock.GetUtcNow().AddHours(1)) + Interlocked.Add(ref revision, 1000), DateTimeOffset.UtcNow, Host,
            EventCause.Command, command, StorageJson.ToElement(data));

    public StorageEvent Success(Guid operation) => Event(new OperationSucceeded(operation), Resources.Operation(operation), operation);

    public StorageEvent Failure(Guid operation) => Event(
        new OperationFailed(operation, new StorageError(ErrorCodes.HostFailure, "no")), Resources.Operation(operation), operation);

    public StorageEvent Cancelled(Guid operation) => Event(new OperationCancelled(operation), Resources.Operation(operation), operation);

    /// <summary>Waits until the worker's queue has brought an id so often.</summary>
    public async Task HeardAsync(IEnumerable<Guid> messages, Guid operation, int times = 1)
    {
        for (var next = heard.Next; messages.Count(id => id == operation) < times; next = heard.Next)
            await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    private Task HeardAsync(IEnumerable<(string Queue, object Message)> messages)
    {
        foreach (var message in messages)
            ToReplicas.Enqueue(message);
        heard.Pulse();
        return Task.CompletedTask;
    }

    /// <summary>Waits until the replicas' queues have brought so many of what is wanted, and gives the queues that did.</summary>
    public async Task<IReadOnlyList<string>> HeardByReplicasAsync(Func<object, bool> wanted, int times = 1)
    {
        for (var next = heard.Next; ToReplicas.Count(sent => wanted(sent.Message)) < times; next = heard.Next)
            await next.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        return [.. ToReplicas.Where(sent => wanted(sent.Message)).Select(sent => sent.Queue)];
    }

    /// <summary>Asks whether it may run an operation, as the worker of <see cref="Host"/> or another host.</summary>
    public async Task<HoldDecision> AskAsync(Guid operation, string host = Host) => (await Get<RunHolds>().AskAsync(
        new HoldRun(operation, PoolFamily.File, host, instance), TestContext.Current.CancellationToken)).Decision;

    /// <summary>The events that ended an operation.</summary>
    public Task<List<string>> EndsAsync(Guid operation) => QueryAsync(db => db.Events
        .Where(row => row.CommandId == operation && (row.Type == nameof(OperationSucceeded) || row.Type == nameof(OperationFailed)
            || row.Type == nameof(OperationCancelled) || row.Type == nameof(OperationExpired)))
        .Select(row => row.Type).ToListAsync());

    /// <summary>Time passes in which the worker says nothing, and the ledger notices.</summary>
    public async Task LoseWorkerAsync()
    {
        Clock.Advance(WorkerAnnouncement.LostAfter + TimeSpan.FromSeconds(1));
        await Get<LedgerSweep>().WatchWorkersAsync(TestContext.Current.CancellationToken);
    }

    /// <param name="newProcess">As a worker that was started again.</param>
    public Task AnnounceAsync(bool newProcess = false) => ReportAsync(Event(
        new WorkerAnnounced(new WorkerAnnouncement(Host, PoolFamily.File, newProcess ? Guid.NewGuid() : instance, "1", DateTimeOffset.UnixEpoch,
        [
            new PoolTypeSupport(PoolType.Dir, true, null, Operations,
                [new FormatSupport("raw", true), new FormatSupport("qed", true), new FormatSupport("qcow2", false, "qemu-img is not installed")], []),
        ],
        BackingStores)),
        Resources.Worker(Host, PoolFamily.File)));

    /// <summary>A pool that is defined and runs.</summary>
    /// <param name="directory">As the worker sees it, where its target is a link.</param>
    public async Task<Guid> RunningPoolAsync(string name, string? directory = null)
    {
        var pool = (await AcceptAsync(new DefinePool(null, Dir(name), Host))).PoolId!.Value;
        var start = await AcceptAsync(new StartPool(null, name));
        await ReportAsync(
            Event(new PoolStarted(pool, new PoolObservation(PoolState.Running, 1000, 400, 600, Directory: directory ?? $"/srv/{name}")), Resources.Pool(pool), start.Id), Success(start.Id));
        return pool;
    }

    public static PoolDefinition Dir(string name) =>
        new() { Type = PoolType.Dir, Name = name, Target = new PoolTarget { Path = $"/srv/{name}" } };

    public static VolumeDefinition Raw(string name) => new() { Name = name, Capacity = 1024, Allocation = 0, Format = "raw" };

    public async Task<OperationRow> OperationAsync(Guid id) => await QueryAsync(db => db.Operations.SingleAsync(row => row.Id == id));

    public async Task<T> QueryAsync<T>(Func<LedgerDb, Task<T>> query)
    {
        await using var db = await Get<IDbContextFactory<LedgerDb>>().CreateDbContextAsync();
        return await query(db);
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
