using System.Diagnostics;
using System.Globalization;
using Storage.Benchmarks.Services;
using Storage.IntegrationTests;
using Storage.TestServers;

namespace Storage.Benchmarks.Hosts;

/// <summary>
/// Commands per second as there are more hosts, on one broker and one database: each host with a File worker, a queue, a journal and a pool of
/// its own. They share this machine's processors, so that it is shown what a host more costs, not what it brings.
/// </summary>
internal static class HostScaling
{
    private const int Count = 1000;
    private const int InFlight = 64;

    /// <summary>As many come up at a time: all of them look for the host's tools, and this machine has few processors for so many hosts.</summary>
    private const int Together = 10;

    private const int MiB = 1 << 20;

    /// <summary>Each host has announced itself twice in it.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(int rounds)
    {
        if (!RunningStorage.CanStart())
            return 1;
        await using var storage = await RunningStorage.StartAsync(new FleetLayout { Workers = [] });
        var workers = new List<GuardedProcess>();
        var rows = new List<Row>();
        try
        {
            foreach (var hosts in new[] { 1, 10, 100 })
            {
                var known = rows.Count == 0 ? 0 : rows[^1].Hosts;
                for (var first = known; first < hosts; first += Together)
                {
                    var count = Math.Min(Together, hosts - first);
                    workers.Add(await SimulatedHosts.StartAsync(storage, first, count));
                    await storage.KnowsHostsAsync(first + count);
                }
                await Parallel.ForEachAsync(
                    Enumerable.Range(known, hosts - known), new ParallelOptions { MaxDegreeOfParallelism = 8 },
                    async (host, _) => await storage.CreatePoolAsync(PoolOf(host), storage.Fleet.PoolPath(PoolOf(host)), SimulatedHosts.Name(host)));
                var idle = await IdleAsync(storage, Processes(workers));
                var measured = new List<Row>();
                for (var round = -1; round < rounds; round++)
                {
                    var row = await MeasureAsync(storage, hosts, round, Processes(workers));
                    if (round >= 0)
                        measured.Add(row with { Idle = idle });
                }
                rows.Add(measured.OrderBy(row => row.PerSecond).ElementAt(rounds / 2));
            }
        }
        finally
        {
            foreach (var process in workers)
                await process.DisposeAsync();
        }
        BenchmarkReport.Write(
            "hosts", $"{Count} sparse raw volumes by single commands in turns to all hosts, {InFlight} in flight, until each is visible; the round of {rounds} with the median rate; µs of processor time for a command; idle: ms of processor time a second of all of them while nothing is asked.",
            rows,
            ("hosts", row => Text(row.Hosts)), ("commands/s", row => Text(row.PerSecond)),
            ("api", row => Text(row.Cpu["api"])), ("inventory", row => Text(row.Cpu["inventory"])), ("workers, all", row => Text(row.Cpu["workers"])),
            ("broker", row => Text(row.Cpu["broker"])), ("database", row => Text(row.Cpu["database"])), ("client", row => Text(row.Cpu["client"])),
            ("idle", row => Text(row.Idle)));
        return 0;
    }

    /// <returns>Milliseconds of processor time a second.</returns>
    private static async Task<double> IdleAsync(RunningStorage storage, IReadOnlyCollection<int> workers)
    {
        var before = await PartCosts.ReadAsync(storage, ("workers", workers));
        await Task.Delay(Idle);
        var taken = (await PartCosts.ReadAsync(storage, ("workers", workers))).Since(before);
        return taken.Where(part => part.Name != "client").Sum(part => part.Cpu.TotalMilliseconds) / Idle.TotalSeconds;
    }

    private static async Task<Row> MeasureAsync(RunningStorage storage, int hosts, int round, IReadOnlyCollection<int> workers)
    {
        List<(string Pool, string Volume)> volumes = [.. Enumerable.Range(0, Count).Select(i => (PoolOf(i % hosts), $"volume-{round + 1}-{i:0000}"))];
        var (before, began) = (await PartCosts.ReadAsync(storage, ("workers", workers)), Stopwatch.GetTimestamp());
        await ForEachAsync(volume => storage.RunAsync(
            HttpMethod.Post, $"/v1/pools/{volume.Pool}/volumes", new { name = volume.Volume, capacity = MiB, allocation = 0 }));
        var (wall, taken) = (Stopwatch.GetElapsedTime(began), (await PartCosts.ReadAsync(storage, ("workers", workers))).Since(before));
        await ForEachAsync(volume => storage.RunAsync(HttpMethod.Delete, $"/v1/pools/{volume.Pool}/volumes/{volume.Volume}"));
        Console.Error.WriteLine($"{hosts} hosts, round {round}: {Count / wall.TotalSeconds:0}/s");
        return new Row(hosts, Count / wall.TotalSeconds, taken.ToDictionary(part => part.Name, part => part.Cpu.TotalMicroseconds / Count));

        Task ForEachAsync(Func<(string Pool, string Volume), Task> action) =>
            Parallel.ForEachAsync(volumes, new ParallelOptions { MaxDegreeOfParallelism = InFlight }, async (volume, _) => await action(volume));
    }

    private static IReadOnlyCollection<int> Processes(IEnumerable<GuardedProcess> workers) => [.. workers.Select(process => process.Id)];

    private static string PoolOf(int host) => $"pool-{SimulatedHosts.Name(host)}";

    private static string Text(double value) => value.ToString("0", CultureInfo.InvariantCulture);

    /// <param name="Cpu">Microseconds for a command, by part.</param>
    /// <param name="Idle">Milliseconds a second, of all parts but the client.</param>
    private sealed record Row(int Hosts, double PerSecond, IReadOnlyDictionary<string, double> Cpu, double Idle = 0);
}
