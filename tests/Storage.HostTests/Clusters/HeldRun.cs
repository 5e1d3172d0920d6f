using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Storage.HostTests;

/// <summary>Another run of these tests beside this one, that has all clusters, a mount and a loop device, until it is killed.</summary>
internal sealed class HeldRun
{
    private readonly Process process;

    private HeldRun(Process process, Holdings holdings) => (this.process, Has) = (process, holdings);

    public Holdings Has { get; }

    public static async Task<HeldRun> StartAsync()
    {
        Requires.Tools([.. CephCluster.Programs, .. GlusterCluster.Programs, .. IscsiTarget.Programs]);
        var told = Path.Combine(Path.GetTempPath(), $"held-run-{Guid.NewGuid():N}");
        var tests = Path.Combine(AppContext.BaseDirectory, "Storage.HostTests.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [tests, "-explicit", "only", "-method", $"{typeof(HoldingRun).FullName}.{nameof(HoldingRun.It_holds_what_it_has)}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { [HoldingRun.Told] = told },
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

    /// <summary>SIGKILL for the process of the tests and nothing else.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
