using System.Globalization;
using Storage.Benchmarks.Services;

namespace Storage.Benchmarks.Memory;

/// <summary>What each service, the broker and the database have in memory: after their start and one command, and at most under each of three loads.</summary>
internal static class MemoryCosts
{
    private const int Singles = 5000;
    private const int Together = 1000;
    private const int Files = 50_000;
    private const int InFlight = 64;
    private const int MiB = 1 << 20;

    public static async Task<int> RunAsync()
    {
        if (!RunningStorage.CanStart())
            return 1;
        await using var storage = await RunningStorage.StartAsync();
        var (volumes, memory) = ("/v1/pools/work/volumes", new PartMemory(storage));
        await storage.CreatePoolAsync("work", storage.Fleet.PoolPath("work"));
        await storage.RunAsync(HttpMethod.Post, volumes, Volume("first", 0));
        var large = storage.Fleet.PoolPath("large");
        SampleFiles.Make(large, "raw", Files);
        List<Row> rows =
        [
            new("idle, after one volume", memory.Resident()),
            new($"{Singles} creates, {InFlight} in flight: at most", await memory.PeakAsync(() => Parallel.ForEachAsync(
                Enumerable.Range(0, Singles), new ParallelOptions { MaxDegreeOfParallelism = InFlight },
                async (i, _) => await storage.RunAsync(HttpMethod.Post, volumes, Volume("single", i))))),
            new($"{Together} in one command: at most", await memory.PeakAsync(() => storage.RunAsync(
                HttpMethod.Post, volumes, Enumerable.Range(0, Together).Select(i => Volume("bulk", i)).ToArray()))),
            new($"{Files} files found: at most", await memory.PeakAsync(() => storage.CreatePoolAsync("large", large))),
            new($"{Files} files refreshed: at most", await memory.PeakAsync(() => storage.RunAsync(HttpMethod.Post, "/v1/pools/large/refresh"))),
            new("afterwards", memory.Resident()),
        ];
        BenchmarkReport.Write(
            "memory", "MB resident, one host; the database's are those of all its processes together, with what they share counted once.",
            rows,
            [("", row => row.When), .. rows[0].Bytes.Keys.Select<string, (string, Func<Row, string>)>(part =>
                (part, row => (row.Bytes[part] / 1e6).ToString("0", CultureInfo.InvariantCulture)))]);
        return 0;
    }

    private static object Volume(string name, int number) => new { name = $"{name}-{number:0000}", capacity = MiB, allocation = 0 };

    private sealed record Row(string When, IReadOnlyDictionary<string, long> Bytes);
}
