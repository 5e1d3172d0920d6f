using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Volumes cloned, resized and wiped over HTTP: the same on separate services and in one process.</summary>
public abstract class VolumeChangeFlows(StorageUnderTest storage)
{
    private const long MiB = 1 << 20;

    private StorageClient Client => storage.Client;

    [Fact]
    public async Task A_volume_is_cloned_into_another_pool_resized_and_wiped()
    {
        var path = await storage.RunningPoolAsync("changes");
        var elsewhere = await storage.RunningPoolAsync("elsewhere");
        var from = (await Client.ReadEventsAsync()).Select(entry => entry.Sequence!.Value).LastOrDefault();
        await Client.PostAsync("/v1/pools/changes/volumes", new { name = "a", capacity = 2 * MiB });
        var content = new byte[2 * MiB];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync($"{path}/a", content, TestContext.Current.CancellationToken);

        await Client.PostAsync("/v1/pools/changes/volumes/a/clone", new { name = "b" });
        await Client.PostAsync("/v1/pools/changes/volumes/a/clone?targetPool=elsewhere", new { name = "c", format = "qcow2" });
        Assert.Equal(content, await File.ReadAllBytesAsync($"{path}/b", TestContext.Current.CancellationToken));
        Assert.Equal(("qcow2", 2 * MiB), Seen(await Client.ReadAsync("/v1/pools/elsewhere/volumes/c")));

        await Client.PostAsync("/v1/pools/elsewhere/volumes/c/resize", new { capacity = "1 MiB", delta = true });
        Assert.Equal(("qcow2", 3 * MiB), Seen(await Client.ReadAsync("/v1/pools/elsewhere/volumes/c")));
        var refused = await Client.SendAsync(HttpMethod.Post, "/v1/pools/changes/volumes/b/resize", new { capacity = MiB }, wait: TimeSpan.FromSeconds(30));
        Assert.Equal("invalid-argument", refused.Body.GetProperty("code").GetString());
        await Client.PostAsync("/v1/pools/changes/volumes/b/resize", new { capacity = MiB, shrink = true });
        Assert.Equal(content[..(int)MiB], await File.ReadAllBytesAsync($"{path}/b", TestContext.Current.CancellationToken));

        await Client.PostAsync("/v1/pools/changes/volumes/b/wipe?algorithm=dod");
        Assert.All(await File.ReadAllBytesAsync($"{path}/b", TestContext.Current.CancellationToken), left => Assert.Equal(0xFF, left));
        await Client.PostAsync("/v1/pools/elsewhere/volumes/c/wipe");
        Assert.Equal(("raw", new FileInfo($"{elsewhere}/c").Length), Seen(await Client.ReadAsync("/v1/pools/elsewhere/volumes/c")));
        Assert.Equal(content, await File.ReadAllBytesAsync($"{path}/a", TestContext.Current.CancellationToken));

        Assert.Equal(
            [nameof(VolumeCreated), nameof(VolumeCloned), nameof(VolumeCloned), nameof(VolumeResized), nameof(VolumeResized), nameof(VolumeWiped), nameof(VolumeWiped)],
            // The file system may give a file its last blocks later, which is seen as such.
            (await Client.ReadEventsAsync(from)).Where(entry => entry.Type.StartsWith("Volume", StringComparison.Ordinal) && entry.Cause != EventCause.External)
                .Select(entry => entry.Type));
    }

    private static (string? Format, long Capacity) Seen(JsonElement volume) =>
        (volume.GetProperty("format").GetString(), volume.GetProperty("capacity").GetInt64());
}

public sealed class FleetVolumeChangeTests(FleetFixture fixture)
    : VolumeChangeFlows(new StorageUnderTest(fixture.Fleet.Client, fixture.Fleet.PoolPath)), IClassFixture<FleetFixture>;

[Trait(Servers.Trait, Servers.Any)]
public sealed class StandaloneVolumeChangeTests(StandaloneFixture fixture)
    : VolumeChangeFlows(new StorageUnderTest(fixture.Standalone.Client, fixture.Standalone.PoolPath)), IClassFixture<StandaloneFixture>;

/// <summary>A clone that takes long: cancelled, and cut off by the death of its worker.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class LongCloneTests(TestBackends backends) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("held-tool-").FullName;

    [Fact]
    public async Task A_long_clone_is_cancelled_and_leaves_nothing()
    {
        await using var fleet = await StartAsync(out var tool);
        var (path, clone) = await BeginAsync(fleet, tool);
        var process = tool.Started[0];
        Assert.True(HostProcesses.InSession(process).Count > 1, "The tool is not there, or has started nothing: this shows nothing.");
        await fleet.Client.SendAsync(HttpMethod.Post, $"/v1/operations/{clone}/cancel");
        Assert.Equal("cancelled", (await fleet.Client.EndOfAsync(clone)).GetProperty("state").GetString());
        Assert.Empty(HostProcesses.InSession(process));
        Assert.Equal(["a"], StorageUnderTest.FilesIn(path));
        Assert.Equal(["a"], await new StorageUnderTest(fleet.Client, fleet.PoolPath).VolumesAsync("long"));
        Assert.Equal([nameof(OperationCancelled)], await fleet.Client.EndsOfAsync(clone));
    }

    [Fact]
    public async Task A_clone_is_completed_after_its_worker_was_killed()
    {
        await using var fleet = await StartAsync(out var tool);
        var (path, clone) = await BeginAsync(fleet, tool);
        await fleet.Workers[0].KillAsync();
        Assert.Equal(2, StorageUnderTest.FilesIn(path).Length);
        tool.Release();
        await fleet.Workers[0].StartAsync();
        Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(clone)).GetProperty("state").GetString());
        Assert.Equal(["a", "b"], StorageUnderTest.FilesIn(path));
        Assert.Equal("qcow2", (await fleet.Client.ReadAsync("/v1/pools/long/volumes/b")).GetProperty("format").GetString());
        Assert.Single(await fleet.Client.ReadEventsAsync(), entry => entry.Type == nameof(VolumeCloned));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task<Fleet> StartAsync(out HeldTool tool)
    {
        tool = new HeldTool(folder);
        return Fleet.StartAsync(backends, new FleetLayout
        {
            Environment = new Dictionary<string, string> { ["PATH"] = $"{tool.Folder}:{Environment.GetEnvironmentVariable("PATH")}" },
        });
    }

    private static async Task<(string Path, Guid Clone)> BeginAsync(Fleet fleet, HeldTool tool)
    {
        var path = await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("long");
        await fleet.Client.PostAsync("/v1/pools/long/volumes", new { name = "a", capacity = 4 << 20 });
        var clone = await fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/long/volumes/a/clone", new { name = "b", format = "qcow2" });
        await tool.BegunAsync();
        return (path, clone);
    }
}
