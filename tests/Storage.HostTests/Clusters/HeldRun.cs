using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Storage.HostTests;

/// <summary>Another run of these tests beside this one, that has what <see cref="HoldingRun"/> says, until it is killed.</summary>
internal sealed class HeldRun
{
    private readonly Process process;

    private HeldRun(Process process, Holdings holdings) => (this.process, Has) = (process, holdings);

    public Holdings Has { get; }

    /// <summary>With all clusters, and a started pool on a device.</summary>
    public static Task<HeldRun> WithClustersAsync()
    {
        Requires.Tools([.. CephCluster.Programs, .. GlusterCluster.Programs, .. IscsiTarget.Programs, .. PoolKinds.All["fs ext4"].Tools]);
        return StartAsync(nameof(HoldingRun.It_holds_clusters_and_a_pool));
    }

    /// <summary>With a lab VM, its agent and a broker.</summary>
    public static Task<HeldRun> WithLabAsync() => StartAsync(nameof(HoldingRun.It_holds_a_lab));

    /// <summary>SIGKILL for the process of the tests and nothing else.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static async Task<HeldRun> StartAsync(string what)
    {
        var told = Path.Combine(Path.GetTempPath(), $"held-run-{Guid.NewGuid():N}");
        var tests = Path.Combine(AppContext.BaseDirectory, "Storage.HostTests.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [tests, "-explicit", "only", "-method", $"{typeof(HoldingRun).FullName}.{what}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { [HoldingRun.Told] = told, [TestRun.Temporary] = TestRun.Outside, [RunNotes.Variable] = null },
        })!;
        var printed = process.StandardOutput.ReadToEndAsync();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!File.Exists(told))
        {
            Assert.False(process.HasExited, process.HasExited ? $"The other run has ended:\n{await printed}" : "");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        var holdings = JsonSerializer.Deserialize<Holdings>(await File.ReadAllTextAsync(told))!;
        File.Delete(told);
        return new HeldRun(process, holdings);
    }
}
