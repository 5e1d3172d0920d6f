using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.Block;
using Storage.Worker.File;

namespace Storage.HostTests;

/// <summary>The whole worker of a family on this host, without a bus.</summary>
internal sealed class WorkerOnHost : IAsyncDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("worker-").FullName;
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ToldEvents told = new();
    private readonly FamilyWorker worker;

    /// <param name="backend">Of the only type of its pools.</param>
    /// <param name="answerLimit">As <see cref="WorkerOptions.StorageAnswerLimit"/>.</param>
    /// <param name="readers">As <see cref="WorkerOptions.RefreshReaders"/>.</param>
    public WorkerOnHost(IPoolBackend backend, TimeSpan answerLimit, int readers = 4)
        : this(PoolFamily.File, [backend], new WorkerOptions { StorageAnswerLimit = answerLimit, RefreshReaders = readers })
    {
    }

    private WorkerOnHost(PoolFamily family, IEnumerable<IPoolBackend> backends, WorkerOptions options)
    {
        (options.Host, options.StateFolder) = ("host-a", state);
        worker = new FamilyWorker(
            family, options, backends, TakeAsync,
            (_, _) => throw new InvalidOperationException("A file is of one host."),
            (_, _) => throw new InvalidOperationException("No secret is needed."),
            services.GetRequiredService<IMeterFactory>(), TimeProvider.System, NullLogger<FamilyWorker>.Instance);
    }

    public IEnumerable<StorageEvent> Events => told.All;

    /// <summary>With all pool types of the family, as its service has them.</summary>
    /// <param name="backingStores">Where it allows backing stores beside the directories of pools.</param>
    public static WorkerOnHost OfFileFamily(params IReadOnlyList<string> backingStores) => new(
        PoolFamily.File, new ServiceCollection().AddLogging().AddFileFamily().BuildServiceProvider().GetServices<IPoolBackend>(), new WorkerOptions { BackingStores = backingStores });

    /// <summary>With all pool types of the block family.</summary>
    public static WorkerOnHost OfBlockFamily() => new(
        PoolFamily.Block, new ServiceCollection().AddLogging().AddBlockFamily().BuildServiceProvider().GetServices<IPoolBackend>(), new WorkerOptions());

    public async Task StartAsync()
    {
        foreach (var family in new[] { "file", "block" })
            Directory.CreateDirectory(Path.Combine(state, family));
        await worker.StartAsync(CancellationToken.None);
    }

    /// <param name="source">The other pool that the command reads from.</param>
    /// <param name="poolDirectories">The directories of the host's pools, as the ledger knows them.</param>
    /// <param name="sourceVolume">The volume of that pool, as it was last seen.</param>
    /// <returns>The operation's terminal event.</returns>
    public async Task<StorageEvent> RunAsync<T>(
        PoolDefinition pool, T command, Guid? id = null, PoolDefinition? source = null, IReadOnlyList<string>? poolDirectories = null,
        VolumeDefinition? sourceVolume = null)
        where T : ICommand
    {
        var run = NewRun(id ?? Guid.NewGuid(), pool, command) with { SourcePool = source, PoolDirectories = poolDirectories, SourceVolume = sourceVolume };
        await worker.AcceptAsync(new RunOperations([run]));
        return await told.EndOfAsync(run.OperationId);
    }

    /// <summary>Gives it an operation; when that ends it is journalled.</summary>
    public Task DeliverAsync(Guid id, PoolDefinition pool, ICommand command) => worker.AcceptAsync(new RunOperations([NewRun(id, pool, command)]));

    public Task<StorageEvent> EndOfAsync(Guid operation) => told.EndOfAsync(operation);

    /// <summary>The first event so far, or to come, that is wanted. For one waiter at a time.</summary>
    public Task<StorageEvent> FirstAsync(Func<StorageEvent, bool> wanted) => told.FirstAsync(wanted);

    /// <summary>Ends when the operation has run for so long that it is told how far it is.</summary>
    public Task IsRunningAsync(Guid operation) => told.RunsAsync(operation);

    public Task CancelAsync(Guid operation) => worker.CancelAsync(new CancelRun(operation));

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await services.DisposeAsync();
        told.Dispose();
        Directory.Delete(state, recursive: true);
    }

    private static OperationRun NewRun(Guid id, PoolDefinition pool, ICommand command) => new(
        id, command.GetType().Name, pool, JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow);

    private Task<ReportTaken> TakeAsync(HostReport report, CancellationToken cancellationToken)
    {
        told.Take(report);
        return Task.FromResult(new ReportTaken(report.Events.Count));
    }
}
