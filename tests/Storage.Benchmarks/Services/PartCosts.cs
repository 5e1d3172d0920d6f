using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Globalization;

namespace Storage.Benchmarks.Services;

/// <summary>What one part of Storage has taken since its start.</summary>
/// <param name="Cpu">Of the process and all below it.</param>
/// <param name="Bytes">Allocated; null where that is not known.</param>
internal sealed record PartCost(string Name, TimeSpan Cpu, double? Bytes = null);

/// <summary>The services, the broker, the database and this process as their client.</summary>
internal sealed class PartCosts : KeyedCollection<string, PartCost>
{
    private const string Allocated = "dotnet_gc_heap_total_allocated_bytes_total";

    /// <param name="more">Other processes of Storage that this one has started, under the name of their part.</param>
    public static async Task<PartCosts> ReadAsync(RunningStorage storage, params IReadOnlyList<(string Name, IReadOnlyCollection<int> Processes)> more)
    {
        var costs = new PartCosts();
        foreach (var (name, process, metrics) in storage.Services)
            costs.Add(new PartCost(name, ProcessTree.Cpu([process]), await AllocatedAsync(storage, metrics)));
        foreach (var (name, processes) in more)
            costs.Add(new PartCost(name, ProcessTree.Cpu(processes)));
        costs.Add(new PartCost("broker", ProcessTree.Cpu(ProcessTree.Named("beam.smp"))));
        var all = ProcessTree.Cpu(ProcessTree.ChildrenOf(Environment.ProcessId));
        costs.Add(new PartCost("database", all - costs.Aggregate(TimeSpan.Zero, (sum, part) => sum + part.Cpu)));
        using var client = Process.GetCurrentProcess();
        costs.Add(new PartCost("client", client.TotalProcessorTime, GC.GetTotalAllocatedBytes()));
        return costs;
    }

    /// <summary>What has been taken since then.</summary>
    public PartCosts Since(PartCosts before)
    {
        var costs = new PartCosts();
        foreach (var part in this)
            costs.Add(part with { Cpu = part.Cpu - before[part.Name].Cpu, Bytes = part.Bytes - before[part.Name].Bytes });
        return costs;
    }

    protected override string GetKeyForItem(PartCost item) => item.Name;

    private static async Task<double> AllocatedAsync(RunningStorage storage, Uri metrics)
    {
        var text = await storage.Fleet.Http.GetStringAsync(metrics);
        return text.Split('\n').Where(line => line.StartsWith(Allocated, StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }
}
