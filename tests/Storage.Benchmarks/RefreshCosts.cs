using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;

namespace Storage.Benchmarks;

/// <summary>What refreshes of large directory pools cost a worker, which is in this process, with an inventory that takes reports at once.</summary>
internal static class RefreshCosts
{
    private const string ResetPeak = "5";

    public static async Task PrintAsync()
    {
        Console.WriteLine("| files | refresh | wall s | CPU s | peak RSS MB |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var (format, count) in new[] { ("raw", 1000), ("raw", 10_000), ("raw", 50_000), ("qcow2", 5000) })
            await PrintAsync(format, count);
    }

    private static async Task PrintAsync(string format, int count)
    {
        var folder = Directory.CreateTempSubdirectory("storage-refresh-").FullName;
        try
        {
            var pool = new PoolDefinition { Type = PoolType.Dir, Name = "benchmark", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = Path.Combine(folder, "pool") } };
            SampleFiles.Make(pool.Target.Path!, format, count);
            await MeasureAsync(folder, pool, $"{count} {format}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(string folder, PoolDefinition pool, string what)
    {
        await using var services = new ServiceCollection().AddLogging().AddMetrics().AddFileFamily().BuildServiceProvider();
        var ends = new Dictionary<Guid, TaskCompletionSource<StorageEvent>>();
        var options = new WorkerOptions { Host = "host-a", StateFolder = folder };
        Directory.CreateDirectory(options.FamilyFolder(PoolFamily.File));
        await using var worker = new FamilyWorker(
            PoolFamily.File, options, services.GetServices<IPoolBackend>(), TakeAsync, (_, _) => throw new NotSupportedException(), (_, _) => throw new NotSupportedException(),
            services.GetRequiredService<IMeterFactory>(), TimeProvider.System, NullLogger<FamilyWorker>.Instance);
        await worker.StartAsync(CancellationToken.None);
        await RunAsync("first", new StartPool(null, pool.Name!));
        await RunAsync("second", new RefreshPool(null, pool.Name!));
        await RunAsync("third", new RefreshPool(null, pool.Name!));

        async Task RunAsync(string refresh, ICommand command)
        {
            GC.Collect();
            await File.WriteAllTextAsync("/proc/self/clear_refs", ResetPeak);
            var operation = Guid.NewGuid();
            var ended = ends[operation] = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using var process = Process.GetCurrentProcess();
            var (cpu, watch) = (process.TotalProcessorTime, Stopwatch.StartNew());
            await worker.AcceptAsync(new RunOperations([new OperationRun(
                operation, command.GetType().Name, pool, System.Text.Json.JsonSerializer.SerializeToElement(command, command.GetType(), StorageJson.Options), 0, DateTimeOffset.UtcNow)]));
            var end = await ended.Task;
            if (end.Type != nameof(OperationSucceeded))
                throw new InvalidOperationException(end.Data.ToString());
            var wall = watch.Elapsed;
            process.Refresh();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {what} | {refresh} | {wall.TotalSeconds:0.00} | {(process.TotalProcessorTime - cpu).TotalSeconds:0.00} | {process.PeakWorkingSet64 / 1e6:0} |"));
        }

        Task TakeAsync(HostReport report, CancellationToken cancellationToken)
        {
            foreach (var told in report.Events.Where(told => told.Type is nameof(OperationSucceeded) or nameof(OperationFailed)))
                ends[told.CommandId!.Value].TrySetResult(told);
            return Task.CompletedTask;
        }
    }
}
