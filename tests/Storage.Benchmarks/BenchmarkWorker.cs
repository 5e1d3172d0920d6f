using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;

namespace Storage.Benchmarks;

/// <summary>A worker in this process that knows no file yet, with an inventory that takes reports at once and knows all that is compared.</summary>
internal sealed class BenchmarkWorker : IAsyncDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddLogging().AddMetrics().AddFileFamily().BuildServiceProvider();
    private readonly Dictionary<Guid, TaskCompletionSource<StorageEvent>> ends = [];
    private readonly FamilyWorker worker;

    private BenchmarkWorker(WorkerOptions options) => worker = new FamilyWorker(
        PoolFamily.File, options, services.GetServices<IPoolBackend>(), TakeAsync, (_, _) => throw new NotSupportedException(), (_, _) => throw new NotSupportedException(),
        services.GetRequiredService<IMeterFactory>(), TimeProvider.System, NullLogger<FamilyWorker>.Instance);

    /// <param name="options">With its state folder.</param>
    public static async Task<BenchmarkWorker> StartAsync(WorkerOptions options)
    {
        Directory.CreateDirectory(options.FamilyFolder(PoolFamily.File));
        var started = new BenchmarkWorker(options);
        await started.worker.StartAsync(CancellationToken.None);
        return started;
    }

    /// <summary>Runs a command on the pool.</summary>
    /// <returns>How long it took, and what it took of the processors.</returns>
    public async Task<(TimeSpan Wall, TimeSpan Cpu)> RunAsync(PoolDefinition pool, ICommand command)
    {
        GC.Collect();
        var operation = Guid.NewGuid();
        var ended = ends[operation] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var process = Process.GetCurrentProcess();
        var (cpu, watch) = (process.TotalProcessorTime, Stopwatch.StartNew());
        await worker.AcceptAsync(new RunOperations([new OperationRun(
            operation, command.GetType().Name, pool, JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow)]));
        var end = await ended.Task;
        if (end.Type != nameof(OperationSucceeded))
            throw new InvalidOperationException(end.Data.ToString());
        var wall = watch.Elapsed;
        process.Refresh();
        return (wall, process.TotalProcessorTime - cpu);
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await services.DisposeAsync();
    }

    private Task<ReportTaken> TakeAsync(HostReport report, CancellationToken cancellationToken)
    {
        foreach (var told in report.Events.Where(told => told.Type is nameof(OperationSucceeded) or nameof(OperationFailed)))
            ends[told.CommandId!.Value].TrySetResult(told);
        return Task.FromResult(new ReportTaken(report.Events.Count, [.. report.Events
            .Where(told => told.Type == nameof(VolumesCompared))
            .Select(told => new KnownRanges(told.EventId, [.. Enumerable.Range(0, told.Read<VolumesCompared>().Ranges.Count)]))]));
    }
}
