using System.Collections.Concurrent;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
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
    private long revision = Revisions.At(DateTimeOffset.UtcNow.AddHours(1));
    private IHost host = null!;

    /// <summary>The ledger's clock: the time of day, moved on by the test.</summary>
    public ShiftedTime Clock { get; } = new();

    public ConcurrentQueue<OperationRun> Runs { get; } = [];

    public ConcurrentQueue<Guid> Cancels { get; } = [];

    public T Get<T>()
        where T : notnull => host.Services.GetRequiredService<T>();

    public async ValueTask InitializeAsync()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Bus:Uri"] = "memory",
            ["Ledger:Connection"] = $"Data Source={folder}/ledger.db",
        });
        builder.Services.AddLogging();
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddLedger(builder.Configuration);
        builder.Services.AddSingleton(new BusEndpoint(Queues.Worker(PoolFamily.File, Host), (_, endpoint) =>
        {
            endpoint.Handler<RunOperations>(context =>
            {
                foreach (var run in context.Message.Runs)
                    Runs.Enqueue(run);
                return Task.CompletedTask;
            });
            endpoint.Handler<CancelRun>(context =>
            {
                Cancels.Enqueue(context.Message.OperationId);
                return Task.CompletedTask;
            });
        }));
        // As the inventory does.
        builder.Services.AddSingleton(new BusEndpoint(Queues.DeadLetters, (services, endpoint) =>
            endpoint.Handler<DeadLetter>(context => services.GetRequiredService<DeadLetterIntake>().TakeAsync(context.Message, context.CancellationToken))));
        builder.Services.AddStorageBus(builder.Configuration);
        host = builder.Build();
        await host.StartAsync();
        await AnnounceAsync();
    }

    public Task<OperationRow> AcceptAsync(ICommand command) =>
        Get<CommandIntake>().AcceptAsync(command, null, TestContext.Current.CancellationToken);

    public async Task<StorageError> RefusedAsync(ICommand command) =>
        (await Assert.ThrowsAsync<StorageException>(() => AcceptAsync(command))).Error;

    /// <summary>Reports as the worker of <see cref="Host"/>.</summary>
    public Task ReportAsync(params StorageEvent[] events) => Get<ReportProjector>().ProjectAsync(
        new HostReport(Host, PoolFamily.File, instance, events), TestContext.Current.CancellationToken);

    public StorageEvent Event<T>(T data, string resource, Guid? command = null, long? at = null)
        where T : notnull =>
        new(Guid.NewGuid(), typeof(T).Name, resource, at ?? Interlocked.Add(ref revision, 1000), DateTimeOffset.UtcNow, Host,
            EventCause.Command, command, StorageJson.ToElement(data));

    public StorageEvent Success(Guid operation) => Event(new OperationSucceeded(operation), Resources.Operation(operation), operation);

    public StorageEvent Failure(Guid operation) => Event(
        new OperationFailed(operation, new StorageError(ErrorCodes.HostFailure, "no")), Resources.Operation(operation), operation);

    /// <param name="newProcess">As a worker that was started again.</param>
    public Task AnnounceAsync(bool newProcess = false) => ReportAsync(Event(
        new WorkerAnnounced(new WorkerAnnouncement(Host, PoolFamily.File, newProcess ? Guid.NewGuid() : instance, "1", DateTimeOffset.UnixEpoch,
        [
            new PoolTypeSupport(PoolType.Dir, true, null, ["Build", "Delete", "CreateVolume", "DeleteVolume"],
                [new FormatSupport("raw", true), new FormatSupport("qcow2", false, "qemu-img is not installed")], []),
        ])),
        Resources.Worker(Host, PoolFamily.File)));

    /// <summary>A pool that is defined and runs.</summary>
    public async Task<Guid> RunningPoolAsync(string name)
    {
        var pool = (await AcceptAsync(new DefinePool(null, Dir(name)))).PoolId!.Value;
        var start = await AcceptAsync(new StartPool(null, name));
        await ReportAsync(
            Event(new PoolStarted(pool, new PoolObservation(PoolState.Running, 1000, 400, 600)), Resources.Pool(pool), start.Id), Success(start.Id));
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
