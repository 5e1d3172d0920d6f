using System.Globalization;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Random work under random faults. A failing run names its seed; <c>STORAGE_FAULT_SEED</c> runs it again. <c>infra/faults</c> is the
/// long run.
/// </summary>
public sealed class FaultTests(TestBackends backends)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(60);

    /// <summary>Two that never change, and one that is new every time.</summary>
    public static TheoryData<int> Seeds => Setting("STORAGE_FAULT_SEED") is { } seed ? [seed] : [1, 2, Random.Shared.Next(1000, int.MaxValue)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_fails_nothing_is_lost_nothing_is_done_twice_and_nothing_is_stuck(int seed)
    {
        var kills = Setting("STORAGE_FAULT_KILLS");
        var report = await new FaultRun(backends, seed).RunAsync(
            (faults, elapsed) => kills is { } wanted ? faults.Kills >= wanted : elapsed >= Short);
        Directory.CreateDirectory(FaultReport.Folder);
        await File.AppendAllTextAsync(Path.Combine(FaultReport.Folder, "report.md"), $"{report}\n", TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.Empty(report.Violations);
        Assert.True(report.Kills > 0 && report.Operations.GetValueOrDefault("succeeded") > 0, "The run did nothing.");
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
