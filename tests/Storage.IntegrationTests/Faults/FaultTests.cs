using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Random work under random faults. A failing run names its seed; <c>infra/faults --seed</c> runs it again. <c>infra/faults</c> is the
/// long run.
/// </summary>
public sealed class FaultTests(TestBackends backends)
{
    private const int KillsPerLine = 25;
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Two that never change, and one that is new every time.</summary>
    public static TheoryData<int> Seeds => Setting("STORAGE_FAULT_SEED") is { } seed ? [seed] : [1, 2, Random.Shared.Next(1000, int.MaxValue)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_fails_nothing_is_lost_nothing_is_done_twice_and_nothing_is_stuck(int seed)
    {
        var report = await new FaultRun(backends, $"seed-{seed}").RunAsync(scene => WorkAsync(scene, seed));
        await report.WriteAsync();
        Assert.Empty(report.Violations);
        Assert.True(report.Kills > 0 && report.Operations.GetValueOrDefault("succeeded") > 0, "The run did nothing.");
    }

    /// <summary>Clients at work while faults are injected: for a minute, or until there were as many kills as wanted.</summary>
    private static async Task WorkAsync(FaultScene scene, int seed)
    {
        // One for certain: under faults it may come to nothing.
        await scene.Fleet.Client.PostAsync($"/v1/pools/{scene.Probe.Name}/volumes", Workload.Encrypted("encrypted"));
        var (watch, wanted) = (Stopwatch.StartNew(), Setting("STORAGE_FAULT_KILLS"));
        var faults = new FaultInjector(scene, seed);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var clients = new Workload(scene, seed).RunAsync(stop.Token);
        for (var told = 0; scene.Client.Violations.Count == 0 && (wanted is { } kills ? scene.Tally.Kills < kills : watch.Elapsed < Short);)
        {
            await faults.InjectAsync();
            if (scene.Tally.Kills / KillsPerLine == told)
                continue;
            told = scene.Tally.Kills / KillsPerLine;
            Console.WriteLine($"[faults] seed {seed}: {scene.Tally.Kills} kills, {scene.Client.Sent} commands, {watch.Elapsed.TotalSeconds:0} s");
        }
        await stop.CancelAsync();
        await clients;
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
