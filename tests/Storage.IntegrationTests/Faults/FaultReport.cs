using System.Globalization;
using System.Text;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What a fault run did and found.</summary>
/// <param name="Name">The run's, such as <c>seed-1</c>.</param>
/// <param name="Operations">How many ended how.</param>
/// <param name="Faults">How many of each kind.</param>
/// <param name="Recoveries">From a kill to the end of a command sent then.</param>
public sealed record FaultReport(
    string Name,
    TimeSpan Duration,
    int Sent,
    int Refused,
    IReadOnlyDictionary<string, int> Operations,
    int Kills,
    IReadOnlyDictionary<string, int> Faults,
    IReadOnlyList<TimeSpan> Recoveries,
    IReadOnlyList<string> Violations)
{
    /// <summary>Where reports and the logs of runs with violations go.</summary>
    public static string Folder => Environment.GetEnvironmentVariable("STORAGE_FAULT_REPORTS") is { Length: > 0 } folder
        ? folder : Path.Combine(Path.GetTempPath(), "storage-faults");

    public int Events { get; init; }

    /// <summary>Services that had lost their consumers and ended by themselves.</summary>
    public int Restarts { get; init; }

    /// <summary>Adds it to the reports, and to the output of the test.</summary>
    public async Task WriteAsync()
    {
        Directory.CreateDirectory(Folder);
        await File.AppendAllTextAsync(Path.Combine(Folder, "report.md"), $"{this}\n", TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(ToString());
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"## {Name}: {Violations.Count} violations");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Duration.TotalSeconds:0} s, {Sent} commands sent, {Refused} refused, {Kills} kills, {Restarts} services that ended by themselves, {Events} events.");
        text.AppendLine(CultureInfo.InvariantCulture, $"Operations: {Join(Operations)}.");
        text.AppendLine(CultureInfo.InvariantCulture, $"Recovery after a kill: p50 {Percentile(50):0.0} s, p99 {Percentile(99):0.0} s, worst {Percentile(100):0.0} s.");
        text.AppendLine();
        text.AppendLine("| fault | times |");
        text.AppendLine("|---|---|");
        foreach (var (fault, times) in Faults.OrderByDescending(fault => fault.Value))
            text.AppendLine(CultureInfo.InvariantCulture, $"| {fault} | {times} |");
        foreach (var violation in Violations)
            text.AppendLine().Append("VIOLATION ").AppendLine(violation);
        return text.ToString();
    }

    private double Percentile(int percent)
    {
        var sorted = Recoveries.Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, sorted.Count * percent / 100)].TotalSeconds;
    }

    private static string Join(IReadOnlyDictionary<string, int> counts) =>
        string.Join(", ", counts.OrderBy(count => count.Key).Select(count => $"{count.Value} {count.Key}"));
}
