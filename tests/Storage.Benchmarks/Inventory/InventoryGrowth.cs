using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Storage.Benchmarks.Hosts;
using Storage.Benchmarks.Services;
using Storage.IntegrationTests;
using Storage.Worker;

namespace Storage.Benchmarks.Inventory;

/// <summary>
/// An inventory that grows to very many volumes, in pools of 1000: how fast it takes them in, how fast it answers then, and how large it is. The
/// workers of ten simulated hosts send their reports over the broker as at any start of a pool; the files are listed, not there.
/// </summary>
internal static class InventoryGrowth
{
    private const int PerPool = 1000;
    private const int Hosts = 10;
    private const int InFlight = 16;
    private const int Parts = 10;
    private const int Refreshed = 20;
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    public static async Task<int> RunAsync(int volumes)
    {
        if (!RunningStorage.CanStart())
            return 1;
        await using var storage = await RunningStorage.StartAsync(new FleetLayout
        {
            Workers = [],
            // No refreshes but those that are measured.
            Environment = new Dictionary<string, string> { ["Inventory__RefreshEvery"] = Never.ToString() },
        });
        var files = new ListedFiles(PerPool);
        var hosts = new List<IHost>();
        try
        {
            for (var i = 0; i < Hosts; i++)
                hosts.Add(await SimulatedHost.StartAsync(
                    SimulatedHosts.Name(i), storage.Fleet.Space.Bus, Path.Combine(storage.Fleet.Folder, "simulated"),
                    services => services.AddSingleton<IPoolBackend>(new ListedPool(files))));
            await storage.KnowsHostsAsync(Hosts);
            var figures = await MeasureAsync(storage, files, [.. Enumerable.Range(0, volumes / PerPool).Select(i => $"pool-{i:0000}")]);
            BenchmarkReport.Write(
                "inventory", $"{volumes} volumes in {volumes / PerPool} pools of {Hosts} simulated hosts, taken in by reports of their workers over the broker as {InFlight} pools at a time are started; then requests one after the other, nothing else running.",
                figures, ("what", figure => figure.What), ("half of them, or all", figure => figure.Text), ("p99", figure => figure.P99 is { } slow ? Figure.Write(slow, figure.Unit) : ""));
            return 0;
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.StopAsync();
                host.Dispose();
            }
        }
    }

    private static async Task<List<Figure>> MeasureAsync(RunningStorage storage, ListedFiles files, IReadOnlyList<string> pools)
    {
        var database = new LedgerSize(storage.Fleet.Space.Ledger);
        await ForEachAsync(pools.Index(), pool => storage.RunAsync(
            HttpMethod.Post, $"/v1/pools?host={SimulatedHosts.Name(pool.Index % Hosts)}",
            new { type = "dir", name = pool.Item, target = new { path = $"/simulated/{pool.Item}" } }));
        List<Figure> figures = [.. await InsertAsync(storage, pools)];
        await database.RequireVolumesAsync(pools.Count * PerPool);
        figures.Add(new("events passed on to the bus, after the last insert", await database.RelayedAsync(), "s"));
        figures.AddRange(await new PageTimes(storage, pools).MeasureAsync());
        figures.Add(await RefreshAsync(storage, pools, "nothing changed", _ => { }));
        figures.Add(await RefreshAsync(storage, pools, "all changed", files.Write));
        figures.AddRange(await database.ReadAsync(pools.Count * PerPool));
        return figures;
    }

    /// <summary>Pools are started until all are, in parts, so that it shows whether it becomes slower.</summary>
    private static async Task<IEnumerable<Figure>> InsertAsync(RunningStorage storage, IReadOnlyList<string> pools)
    {
        var rates = new List<double>();
        var (before, began) = (await PartCosts.ReadAsync(storage), Stopwatch.GetTimestamp());
        foreach (var part in pools.Chunk((pools.Count + Parts - 1) / Parts))
        {
            var start = Stopwatch.GetTimestamp();
            await ForEachAsync(part, pool => storage.RunAsync(HttpMethod.Post, $"/v1/pools/{pool}/start"));
            rates.Add(part.Length * PerPool / Stopwatch.GetElapsedTime(start).TotalSeconds);
            Console.Error.WriteLine($"{part[^1]}: {rates[^1]:0} volumes/s");
        }
        var wall = Stopwatch.GetElapsedTime(began);
        var taken = (await PartCosts.ReadAsync(storage)).Since(before);
        var volumes = pools.Count * PerPool;
        return
        [
            new("insert, all", volumes / wall.TotalSeconds, "volumes/s"),
            new("insert, first tenth", rates[0], "volumes/s"),
            new("insert, last tenth", rates[^1], "volumes/s"),
            .. new[] { "inventory", "database", "broker" }.Select(part => new Figure($"insert: processor time of the {part}, a volume", taken[part].Cpu.TotalMicroseconds / volumes, "µs")),
        ];
    }

    private static async Task<Figure> RefreshAsync(RunningStorage storage, IReadOnlyList<string> pools, string what, Action<string> prepare)
    {
        var took = new List<TimeSpan>();
        foreach (var pool in pools.TakeLast(Refreshed))
        {
            prepare(pool);
            var began = Stopwatch.GetTimestamp();
            await storage.RunAsync(HttpMethod.Post, $"/v1/pools/{pool}/refresh");
            took.Add(Stopwatch.GetElapsedTime(began));
        }
        return new($"refresh a pool of {PerPool}, {what}", Percentiles.Of(took));
    }

    private static Task ForEachAsync<T>(IEnumerable<T> items, Func<T, Task> action) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = InFlight }, async (item, _) => await action(item));
}

/// <param name="Value">In the unit; of many times the median.</param>
/// <param name="P99">Of many times.</param>
internal sealed record Figure(string What, double Value, string Unit, double? P99 = null)
{
    public Figure(string what, Percentiles times)
        : this(what, times.P50, "ms", times.P99)
    {
    }

    public string Text => Write(Value, Unit);

    public static string Write(double value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{(value >= 100 ? $"{value:#,0}" : $"{value:0.0}")} {unit}");
}
