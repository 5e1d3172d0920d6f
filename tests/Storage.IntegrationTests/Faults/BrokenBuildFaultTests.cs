using System.Text.RegularExpressions;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// For a tree in which the patches of <c>Broken</c> are applied (<c>infra/faults --broken</c>): there, a service whose
/// <c>STORAGE_BROKEN</c> names a protection does without it. The checker must report what the patch says that must come of it.
/// </summary>
public sealed class BrokenBuildFaultTests(TestBackends backends)
{
    private const string Expect = "expect: ";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Faults", "Broken");

    /// <summary>All, or those that <c>STORAGE_FAULT_BROKEN</c> names.</summary>
    public static TheoryData<string> Protections => new(
        Environment.GetEnvironmentVariable("STORAGE_FAULT_BROKEN") is { Length: > 0 } names
            ? names.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : Directory.EnumerateFiles(Folder, "*.patch").Select(patch => Path.GetFileNameWithoutExtension(patch)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Protections))]
    public async Task A_build_without_a_protection_is_found_by_what_it_allows(string protection)
    {
        var expected = (await File.ReadAllLinesAsync(Path.Combine(Folder, $"{protection}.patch"), TestContext.Current.CancellationToken))[0];
        Assert.StartsWith(Expect, expected, StringComparison.Ordinal);
        var run = new FaultRun(backends, $"broken-{protection}")
        {
            Environment = new Dictionary<string, string> { ["STORAGE_BROKEN"] = protection },
            // What is sent again at all is sent again after half a minute.
            Quiet = TimeSpan.FromSeconds(45),
        };
        var report = await run.RunAsync(DirectedFaults.All[protection]);
        await report.WriteAsync();
        var found = report.Violations.FirstOrDefault(violation => Regex.IsMatch(violation, expected[Expect.Length..]));
        await File.AppendAllTextAsync(
            Path.Combine(FaultReport.Folder, "broken.txt"), $"{protection}: {(found is null ? "NOT FOUND" : $"found: {found.Split('\n')[0]}")}\n",
            TestContext.Current.CancellationToken);
        Assert.True(found is not null, $"Nothing matches '{expected}' in\n{report}");
    }
}
