using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Storage.Benchmarks.Libvirt;

/// <summary>Medians over the rounds, as a table and as JSON.</summary>
internal sealed class ComparisonReport(string theirs, string ours)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly List<(Work Work, string Peer, Taken Taken)> all = [];

    public void Add(Work work, string peer, Taken taken) => all.Add((work, peer, taken));

    public void Write(string folder, int rounds)
    {
        var rows = all.GroupBy(row => row.Work).Select(group => Row.Of(group.Key, [.. group.Where(row => row.Peer == theirs).Select(row => row.Taken)], [.. group.Where(row => row.Peer == ours).Select(row => row.Taken)])).ToList();
        var machine = $"{Environment.ProcessorCount} processors ({Processor()}), {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";
        var table = Table(rows, machine, rounds);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "libvirt.md"), table);
        File.WriteAllText(Path.Combine(folder, "libvirt.json"), JsonSerializer.Serialize(new { machine, rounds, rows }, Json));
        Console.Write(table);
    }

    private string Table(IEnumerable<Row> rows, string machine, int rounds)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{machine}; medians of {rounds} rounds in turns; CPU is that of all servers, database and broker too.").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| work | {theirs} s (per s) | {ours} s (per s) | times as fast | mark | CPU s {theirs} | CPU s {ours} |").AppendLine("|---|---|---|---|---|---|---|");
        foreach (var row in rows)
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {row.Work}{(row.Count > 1 ? $" ({row.Count})" : "")} | {row.Theirs:0.000} ({row.Count / row.Theirs:0}) | {row.Ours:0.000} ({row.Count / row.Ours:0}) "
                + $"| {row.Ratio:0.00}{(row.Ratio >= row.Mark ? "" : " **missed**")} | {row.Mark:0.00} | {row.TheirCpu:0.00} | {row.OurCpu:0.00} |");
        return text.ToString();
    }

    private static string Processor() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";

    /// <summary>Medians in seconds.</summary>
    private sealed record Row(string Work, int Count, double Theirs, double Ours, double Ratio, double Mark, double TheirCpu, double OurCpu)
    {
        public static Row Of(Work work, IReadOnlyList<Taken> theirs, IReadOnlyList<Taken> ours)
        {
            double their = Median(theirs, taken => taken.Wall), our = Median(ours, taken => taken.Wall);
            return new(work.Title, work.Count, their, our, their / our, work.Mark, Median(theirs, taken => taken.Cpu), Median(ours, taken => taken.Cpu));
        }

        private static double Median(IReadOnlyList<Taken> taken, Func<Taken, TimeSpan> part) =>
            taken.Select(part).Order().ElementAt(taken.Count / 2).TotalSeconds;
    }
}
