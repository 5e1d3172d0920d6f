using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.HostTests;

/// <summary>The whole worker of the file family on this host, without a bus.</summary>
internal sealed class WorkerOnHost : IAsyncDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("worker-").FullName;
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<StorageEvent>> ends = [];
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> progress = [];
    private readonly ConcurrentQueue<StorageEvent> events = [];
    private readonly SemaphoreSlim told = new(0);
    private readonly FamilyWorker worker;

    public WorkerOnHost(IPoolBackend backend, TimeSpan answerLimit)
        : this([backend], answerLimit)
    {
    }

    private WorkerOnHost(IEnumerable<IPoolBackend> backends, TimeSpan answerLimit) => worker = new FamilyWorker(
        PoolFamily.File, new WorkerOptions { Host = "host-a", StateFolder = state, StorageAnswerLimit = answerLimit }, backends, TakeAsync,
        (_, _) => throw new InvalidOperationException("A file is of one host."),
        (_, _) => throw new InvalidOperationException("No secret is needed."),
        services.GetRequiredService<IMeterFactory>(), TimeProvider.System, NullLogger<FamilyWorker>.Instance);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public IEnumerable<StorageEvent> Events => events;

    /// <summary>With all pool types of the family, as its service has them.</summary>
    public static WorkerOnHost OfFileFamily() => new(
        new ServiceCollection().AddLogging().AddFileFamily().BuildServiceProvider().GetServices<IPoolBackend>(), TimeSpan.FromSeconds(30));

    public async Task StartAsync()
    {
        Directory.CreateDirectory(Path.Combine(state, "file"));
        await worker.StartAsync(CancellationToken.None);
    }

    /// <returns>The operation's terminal event.</returns>
    public async Task<StorageEvent> RunAsync<T>(PoolDefinition pool, T command, Guid? id = null)
        where T : ICommand
    {
        var run = new OperationRun(id ?? Guid.NewGuid(), command.GetType().Name, pool, JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow);
        await worker.AcceptAsync(new RunOperations([run]));
        return await EndOf(run.OperationId).Task;
    }

    /// <summary>The first event so far, or to come, that is wanted. For one waiter at a time.</summary>
    public async Task<StorageEvent> FirstAsync(Func<StorageEvent, bool> wanted)
    {
        var asked = System.Diagnostics.Stopwatch.GetTimestamp();
        while (System.Diagnostics.Stopwatch.GetElapsedTime(asked) < Patience)
        {
            if (events.FirstOrDefault(wanted) is { } found)
                return found;
            await told.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException($"Nothing of what is wanted among: {string.Join('\n', events.Select(told => $"{told.Type} {told.Resource} {told.Data}"))}");
    }

    /// <summary>Ends when the operation has run for so long that it is told how far it is.</summary>
    public Task IsRunningAsync(Guid operation) => ProgressOf(operation).Task;

    public Task CancelAsync(Guid operation) => worker.CancelAsync(new CancelRun(operation));

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await services.DisposeAsync();
        told.Dispose();
        Directory.Delete(state, recursive: true);
    }

    private Task TakeAsync(HostReport report, CancellationToken cancellationToken)
    {
        foreach (var entry in report.Events)
        {
            events.Enqueue(entry);
            if (entry.Type is nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled))
                EndOf(entry.CommandId!.Value).TrySetResult(entry);
            else if (entry.Type == nameof(OperationProgressed))
                ProgressOf(entry.CommandId!.Value).TrySetResult();
        }
        told.Release();
        return Task.CompletedTask;
    }

    private TaskCompletionSource<StorageEvent> EndOf(Guid operation) =>
        ends.GetOrAdd(operation, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private TaskCompletionSource ProgressOf(Guid operation) =>
        progress.GetOrAdd(operation, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
