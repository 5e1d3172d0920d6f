using System.Diagnostics;
using System.Globalization;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.Benchmarks;

/// <summary>What refreshes of large directory pools cost a worker.</summary>
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
            await using var worker = await BenchmarkWorker.StartAsync(new WorkerOptions { Host = "host-a", StateFolder = folder });
            await PrintAsync($"{count} {format} | first", worker, pool, new StartPool(null, pool.Name!));
            await PrintAsync($"{count} {format} | second", worker, pool, new RefreshPool(null, pool.Name!));
            await PrintAsync($"{count} {format} | third", worker, pool, new RefreshPool(null, pool.Name!));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task PrintAsync(string what, BenchmarkWorker worker, PoolDefinition pool, ICommand command)
    {
        await File.WriteAllTextAsync("/proc/self/clear_refs", ResetPeak);
        var (wall, cpu) = await worker.RunAsync(pool, command);
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {what} | {wall.TotalSeconds:0.00} | {cpu.TotalSeconds:0.00} | {process.PeakWorkingSet64 / 1e6:0} |"));
    }
}
