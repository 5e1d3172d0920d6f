using System.Diagnostics;
using System.Globalization;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// Where the processor time of commands goes: what each service, the broker and the database take for one, and what each service allocates, in
/// several rounds on a fleet of this machine's own.
/// </summary>
internal static class ServiceCosts
{
    private const int Count = 2000;
    private const int InFlight = 64;

    /// <summary>Define, build, start, stop, undefine.</summary>
    private const int CommandsPerCycle = 5;
    private const string Allocated = "dotnet_gc_heap_total_allocated_bytes_total";

    public static async Task<int> RunAsync(int rounds)
    {
        if (StoragePeer.Missing() is { Count: > 0 } missing)
        {
            Console.Error.WriteLine($"Missing: {string.Join(", ", missing)}.");
            return 1;
        }
        using var folder = new WorkFolder();
        await using var peer = await StoragePeer.StartAsync(() => []);
        var pool = await peer.CreatePoolAsync("work", folder.Of(peer, "work"));
        Console.WriteLine($"{Environment.ProcessorCount} processors; {Count} sparse raw volumes, {InFlight} in flight; µs of processor time and KiB allocated for a command");
        for (var round = -1; round < rounds; round++)
        {
            List<NewVolume> volumes = [.. Enumerable.Range(0, Count).Select(i => new NewVolume($"volume-{round}-{i:0000}", "raw", 1 << 20))];
            await MeasureAsync(peer, round, "create", () => pool.CreateAsync(volumes, InFlight));
            await MeasureAsync(peer, round, "delete", () => pool.DeleteAsync([.. volumes.Select(volume => volume.Name)], InFlight));
            await MeasureAsync(peer, round, "create together", () => pool.CreateTogetherAsync(volumes));
            await MeasureAsync(peer, round, "delete together", () => pool.DeleteTogetherAsync([.. volumes.Select(volume => volume.Name)]));
            List<(string, string)> cycled = [.. Enumerable.Range(0, Count / CommandsPerCycle).Select(i => ($"cycle-{round}-{i}", folder.Of(peer, $"cycle-{round}-{i}")))];
            await MeasureAsync(peer, round, "pools", () => peer.CyclePoolsAsync(cycled, clients: 8));
        }
        return 0;
    }

    /// <summary>Does the work, and unless the round is one that is not counted says what each part took for one of so many.</summary>
    public static async Task MeasureAsync(StoragePeer peer, int round, string title, Func<Task> work, int count = Count)
    {
        var (before, began) = (await ReadAsync(peer), Stopwatch.GetTimestamp());
        await work();
        var (wall, after) = (Stopwatch.GetElapsedTime(began), await ReadAsync(peer));
        if (round < 0)
            return;
        var parts = after.Select(part => string.Create(
            CultureInfo.InvariantCulture,
            $"{part.Name} {(part.Cpu - before[part.Name].Cpu).TotalMicroseconds / count:0}{(part.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $" ({(bytes - before[part.Name].Bytes!.Value) / count / 1024:0} KiB)") : "")}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title,-17} {count / wall.TotalSeconds,6:0}/s  {string.Join(", ", parts)}"));
    }

    private static async Task<PartCosts> ReadAsync(StoragePeer peer)
    {
        var costs = new PartCosts();
        foreach (var (name, process, metrics) in peer.Services)
            costs.Add(new PartCost(name, ProcessTree.Cpu([process]), await AllocatedAsync(peer, metrics)));
        var broker = ProcessTree.Cpu(ProcessTree.Named("beam.smp"));
        costs.Add(new PartCost("broker", broker, null));
        costs.Add(new PartCost("database", peer.Cpu - costs.Aggregate(TimeSpan.Zero, (sum, part) => sum + part.Cpu), null));
        costs.Add(new PartCost("client", Process.GetCurrentProcess().TotalProcessorTime, GC.GetTotalAllocatedBytes()));
        return costs;
    }

    private static async Task<double> AllocatedAsync(StoragePeer peer, Uri metrics)
    {
        var text = await peer.Metrics.GetStringAsync(metrics);
        return text.Split('\n').Where(line => line.StartsWith(Allocated, StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    /// <param name="Cpu">Of the process and all below it, since its start.</param>
    /// <param name="Bytes">Allocated since its start.</param>
    private sealed record PartCost(string Name, TimeSpan Cpu, double? Bytes);

    private sealed class PartCosts : System.Collections.ObjectModel.KeyedCollection<string, PartCost>
    {
        protected override string GetKeyForItem(PartCost item) => item.Name;
    }
}
