using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;

namespace Storage.HostTests;

/// <summary>The whole worker of the file family on this host, without a bus.</summary>
internal sealed class WorkerOnHost : IAsyncDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("worker-").FullName;
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<StorageEvent>> ends = [];
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> progress = [];
    private readonly ConcurrentQueue<StorageEvent> events = [];
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

    /// <summary>Ends when the operation has run for so long that it is told how far it is.</summary>
    public Task IsRunningAsync(Guid operation) => ProgressOf(operation).Task;

    public Task CancelAsync(Guid operation) => worker.CancelAsync(new CancelRun(operation));

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await services.DisposeAsync();
        Directory.Delete(state, recursive: true);
    }

    private Task TakeAsync(HostReport report, CancellationToken cancellationToken)
    {
        foreach (var told in report.Events)
        {
            events.Enqueue(told);
            if (told.Type is nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled))
                EndOf(told.CommandId!.Value).TrySetResult(told);
            else if (told.Type == nameof(OperationProgressed))
                ProgressOf(told.CommandId!.Value).TrySetResult();
        }
        return Task.CompletedTask;
    }

    private TaskCompletionSource<StorageEvent> EndOf(Guid operation) =>
        ends.GetOrAdd(operation, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private TaskCompletionSource ProgressOf(Guid operation) =>
        progress.GetOrAdd(operation, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
