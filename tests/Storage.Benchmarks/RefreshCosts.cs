using System.Buffers.Binary;
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
            Directory.CreateDirectory(pool.Target.Path!);
            for (var i = 0; i < count; i++)
                File.WriteAllBytes(Path.Combine(pool.Target.Path!, $"volume-{i:000000}"), format == "raw" ? new byte[4096] : Qcow2());
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

    /// <summary>A header of version 2: 1 GiB in clusters of 64 KiB.</summary>
    private static byte[] Qcow2()
    {
        var image = new byte[512];
        BinaryPrimitives.WriteUInt32BigEndian(image, 0x514649FB);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(4), 2);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(20), 16);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(24), 1 << 30);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(36), 2);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(40), 0x3_0000);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(48), 0x1_0000);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(56), 1);
        return image;
    }
}
