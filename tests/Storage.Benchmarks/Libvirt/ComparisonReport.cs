using System.Globalization;

namespace Storage.Benchmarks.Libvirt;

/// <summary>Medians over the rounds, and percentiles of single delays over all of them, as tables and as JSON.</summary>
internal sealed class ComparisonReport(string theirs, string ours)
{
    private readonly List<(Work Work, string Peer, Taken Taken)> all = [];
    private readonly List<(string Peer, Delay Delay)> delays = [];

    public void Add(Work work, string peer, Taken taken) => all.Add((work, peer, taken));

    public void Add(string peer, IEnumerable<Delay> seen) => delays.AddRange(seen.Select(delay => (peer, delay)));

    /// <param name="fileSystem">That of the pools.</param>
    public void Write(int rounds, string fileSystem)
    {
        var rows = all.GroupBy(row => row.Work).Select(group => Row.Of(group.Key, [.. group.Where(row => row.Peer == theirs).Select(row => row.Taken)], [.. group.Where(row => row.Peer == ours).Select(row => row.Taken)])).ToList();
        var slow = delays.GroupBy(row => row.Delay.Title).Select(group => DelayRow.Of(group.First().Delay, TimesOf(group, theirs), TimesOf(group, ours)!)).ToList();
        var text = $"{BenchmarkReport.Machine}; pools on {fileSystem}; medians of {rounds} rounds in turns, after {Comparison.WarmRounds} that are not counted; CPU is that of all servers, database and broker too.\n\n{Table(rows)}";
        if (slow.Count > 0)
            text += $"\nSingle delays, of all rounds together, in milliseconds: half of them and 99 of 100 take at most so long.\n\n{Table(slow)}";
        BenchmarkReport.Write("libvirt", text, new { BenchmarkReport.Machine, fileSystem, rounds, rows, delays = slow });
    }

    private static Percentiles? TimesOf(IEnumerable<(string Peer, Delay Delay)> rows, string peer)
    {
        var times = rows.Where(row => row.Peer == peer).SelectMany(row => row.Delay.Times).ToList();
        return times.Count > 0 ? Percentiles.Of(times) : null;
    }

    private string Table(IReadOnlyList<Row> rows) => BenchmarkReport.Table(
        rows,
        ("work", row => $"{row.Work}{(row.Count > 1 ? $" ({row.Count})" : "")}"),
        ($"{theirs} s (per s)", row => Invariant($"{row.Theirs:0.000} ({row.Count / row.Theirs:0})")),
        ($"{ours} s (per s)", row => Invariant($"{row.Ours:0.000} ({row.Count / row.Ours:0})")),
        ("times as fast", row => Invariant($"{row.Ratio:0.00}{(row.Missed ? " **missed**" : "")}")),
        ("mark", row => row.Within is { } seconds ? Invariant($"{seconds:0.00} s") : Invariant($"{row.Mark:0.00}")),
        ($"CPU s {theirs}", row => Invariant($"{row.TheirCpu:0.00}")),
        ($"CPU s {ours}", row => Invariant($"{row.OurCpu:0.00}")));

    private string Table(IReadOnlyList<DelayRow> rows) => BenchmarkReport.Table(
        rows,
        ("delay", row => row.Delay),
        ($"{theirs} p50 / p99", row => row.Theirs is { } seen ? Text(seen) : "none"),
        ($"{ours} p50 / p99", row => $"{Text(row.Ours)}{(row.Missed ? " **missed**" : "")}"),
        ("mark", row => row.Mark?.ToString() ?? ""));

    private static string Text(Percentiles seen) => Invariant($"{seen.P50:0.0} / {seen.P99:0.0}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Medians in seconds.</summary>
    private sealed record Row(string Work, int Count, double Theirs, double Ours, double Ratio, double Mark, double? Within, bool Missed, double TheirCpu, double OurCpu)
    {
        public static Row Of(Work work, IReadOnlyList<Taken> theirs, IReadOnlyList<Taken> ours)
        {
            double their = Median(theirs, taken => taken.Wall), our = Median(ours, taken => taken.Wall), ratio = their / our;
            return new(work.Title, work.Count, their, our, ratio, work.Mark, work.Within, work.IsMissedBy(our, ratio), Median(theirs, taken => taken.Cpu), Median(ours, taken => taken.Cpu));
        }

        private static double Median(IReadOnlyList<Taken> taken, Func<Taken, TimeSpan> part) =>
            taken.Select(part).Order().ElementAt(taken.Count / 2).TotalSeconds;
    }

    /// <param name="Theirs">Null where they have nothing of the kind.</param>
    private sealed record DelayRow(string Delay, Percentiles? Theirs, Percentiles Ours, DelayMark? Mark, bool Missed)
    {
        public static DelayRow Of(Delay delay, Percentiles? theirs, Percentiles ours) => new(delay.Title, theirs, ours, delay.Mark, delay.Mark?.IsMissedBy(ours) is true);
    }
}
