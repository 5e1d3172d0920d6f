using System.Diagnostics;
using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A host whose kernel gives no more watches: everything in a user namespace, which has limits of its own that the machine does not feel.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class UnwatchedPoolTests
{
    private static readonly string[] Namespace = ["unshare", "--user", "--map-root-user"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    // inotify_add_watch ends with ENOSPC, inotify_init1 with EMFILE.
    [InlineData("max_inotify_watches", "fs.inotify.max_user_watches")]
    [InlineData("max_inotify_instances", "fs.inotify.max_user_instances")]
    public async Task A_pool_that_the_kernel_gives_no_watch_for_runs_is_refreshed_instead_and_says_so(string limit, string setting)
    {
        await RequireNamespacesAsync();
        await using var standalone = await StandaloneProcess.StartAsync(
            new Dictionary<string, string> { ["Inventory__RefreshEvery"] = "00:00:02" },
            [.. Namespace, "sh", "-c", $"echo 0 > /proc/sys/user/{limit} && exec \"$@\"", "limited"]);
        var path = await new StorageUnderTest(standalone.Client, standalone.PoolPath).RunningPoolAsync("unwatched");
        var started = (await standalone.Client.ReadEventsAsync()).Single(entry => entry.Type == nameof(PoolStarted));
        Assert.False(started.Data.Deserialize<PoolStarted>(StorageJson.Options)!.Observation.Watched);
        await standalone.Process.LoggedAsync(setting);

        await File.WriteAllTextAsync(Path.Combine(path, "foreign"), "", Cancellation);
        var appeared = await Eventually.GetAsync("the file to be found", async _ =>
            (await standalone.Client.ReadEventsAsync(started.Sequence!.Value)).FirstOrDefault(entry => entry.Type == nameof(VolumeAppeared)));
        var look = await standalone.Client.ReadAsync($"/v1/operations/{appeared.CommandId}");
        Assert.Equal(nameof(RefreshPool), look.GetProperty("command").GetString());
    }

    private static async Task RequireNamespacesAsync()
    {
        using var probe = Process.Start(new ProcessStartInfo(Namespace[0], [.. Namespace[1..], "true"]))!;
        await probe.WaitForExitAsync(Cancellation);
        if (probe.ExitCode != 0)
            Requires.Missing("user namespaces cannot be made here");
    }
}
