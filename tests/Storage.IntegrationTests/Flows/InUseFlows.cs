using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What is not taken away over HTTP unless it is forced, and what is not opened at all: the same on separate services and in one process.</summary>
public abstract class InUseFlows(StorageUnderTest storage)
{
    private const long MiB = 1 << 20;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);

    private StorageClient Client => storage.Client;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_volume_that_a_process_has_open_is_not_shrunk_wiped_or_deleted_unless_it_is_forced()
    {
        var path = await storage.RunningPoolAsync("held");
        const string Volume = "/v1/pools/held/volumes/v";
        await Client.PostAsync("/v1/pools/held/volumes", new { name = "v", capacity = 2 * MiB });
        var content = Enumerable.Repeat((byte)7, (int)(2 * MiB)).ToArray();
        await File.WriteAllBytesAsync($"{path}/v", content, Cancellation);
        using var holder = Process.Start(new ProcessStartInfo("sh", ["-c", "exec 3<\"$0\"; echo open; exec sleep 600", $"{path}/v"]) { RedirectStandardOutput = true })!;
        try
        {
            Assert.Equal("open", await holder.StandardOutput.ReadLineAsync(Cancellation));
            // The shell becomes its sleep at some moment after.
            await Eventually.HoldsAsync("the holder to have its name", async _ =>
                await File.ReadAllTextAsync($"/proc/{holder.Id}/comm", Cancellation) == "sleep\n");
            var by = $"sleep ({holder.Id})";
            await RefusedAsync(HttpMethod.Post, $"{Volume}/resize", by, new { capacity = MiB, shrink = true });
            await RefusedAsync(HttpMethod.Post, $"{Volume}/wipe", by);
            await RefusedAsync(HttpMethod.Delete, Volume, by);
            await Client.PostAsync("/v1/pools/held/volumes", new { name = "unused", capacity = MiB });
            await RefusedAsync(HttpMethod.Post, "/v1/pools/held/volumes/delete", by, new { volumes = new[] { "unused", "v" } });
            await Client.DeleteAsync("/v1/pools/held/volumes/unused");
            Assert.Equal(content, await File.ReadAllBytesAsync($"{path}/v", Cancellation));

            await Client.PostAsync($"{Volume}/resize", new { capacity = MiB, shrink = true, force = true });
            Assert.Equal(MiB, new FileInfo($"{path}/v").Length);
            await Client.PostAsync($"{Volume}/wipe?force=true");
            Assert.Equal(-1, (await File.ReadAllBytesAsync($"{path}/v", Cancellation)).AsSpan().IndexOfAnyExcept((byte)0));
            await Client.DeleteAsync($"{Volume}?force=true");
            Assert.Empty(StorageUnderTest.FilesIn(path));
        }
        finally
        {
            holder.Kill();
        }
    }

    [Fact]
    public async Task A_volume_under_another_one_is_not_shrunk_wiped_or_deleted_unless_it_is_forced()
    {
        var path = await storage.RunningPoolAsync("under");
        await storage.RunningPoolAsync("over");
        const string Base = "/v1/pools/under/volumes/base";
        await Client.PostAsync("/v1/pools/under/volumes", new { name = "base", capacity = 2 * MiB, allocation = 0 });
        await Client.PostAsync("/v1/pools/over/volumes", new { name = "overlay", format = "qcow2", backingStore = new { path = $"{path}/base", format = "raw" } });
        const string By = "'overlay' in pool 'over'";
        await RefusedAsync(HttpMethod.Post, $"{Base}/resize", By, new { capacity = MiB, shrink = true });
        await RefusedAsync(HttpMethod.Post, $"{Base}/wipe", By);
        await RefusedAsync(HttpMethod.Delete, Base, By);
        await RefusedAsync(HttpMethod.Post, "/v1/pools/under/volumes/delete", By, new { volumes = new[] { "base" } });
        Assert.Equal(2 * MiB, new FileInfo($"{path}/base").Length);

        await Client.PostAsync($"{Base}/resize", new { capacity = MiB, shrink = true, force = true });
        await Client.PostAsync($"{Base}/wipe?force=true");
        await Client.DeleteAsync($"{Base}?force=true");
        Assert.Empty(StorageUnderTest.FilesIn(path));
    }

    [Fact]
    public async Task A_volume_under_another_one_that_names_it_by_the_link_of_its_pool_is_not_deleted()
    {
        var real = Directory.CreateDirectory(storage.PoolPath("linked-really")).FullName;
        Directory.CreateSymbolicLink(storage.PoolPath("linked"), real);
        await storage.RunningPoolAsync("linked");
        await storage.RunningPoolAsync("linked-over");
        await Client.PostAsync("/v1/pools/linked/volumes", new { name = "base", capacity = MiB, allocation = 0 });
        await Client.PostAsync("/v1/pools/linked-over/volumes", new { name = "overlay", format = "qcow2", backingStore = new { path = $"{real}/base" } });
        await RefusedAsync(HttpMethod.Delete, "/v1/pools/linked/volumes/base", "'overlay' in pool 'linked-over'");
        await Client.DeleteAsync("/v1/pools/linked-over/volumes/overlay");
        await Client.DeleteAsync("/v1/pools/linked/volumes/base");
    }

    [Fact]
    public async Task A_file_of_the_host_outside_its_pools_is_no_backing_store()
    {
        var path = await storage.RunningPoolAsync("fenced");
        File.CreateSymbolicLink($"{path}/link", "/etc/passwd");
        foreach (var (backing, found) in new[] { ("/etc/passwd", "is named"), ("link", "lies") })
        {
            var problem = (await Client.SendAsync(
                HttpMethod.Post, "/v1/pools/fenced/volumes", new { name = "overlay", format = "qcow2", backingStore = new { path = backing } }, Wait)).Body;
            Assert.Equal(("unsupported", "backingStore.path"), (problem.GetProperty("code").GetString(), problem.GetProperty("field").GetString()));
            Assert.StartsWith($"The backing store {backing} {found} neither in a pool of this host", Detail(problem), StringComparison.Ordinal);
        }
        Assert.Equal(["link"], StorageUnderTest.FilesIn(path));
    }

    private async Task RefusedAsync(HttpMethod method, string path, string by, object? body = null)
    {
        var answer = await Client.SendAsync(method, path, body, Wait);
        Assert.Equal((path, HttpStatusCode.Conflict, "in-use"), (path, answer.Status, answer.Body.GetProperty("code").GetString()));
        Assert.Contains(by, Detail(answer.Body), StringComparison.Ordinal);
    }

    private static string Detail(JsonElement problem) => problem.GetProperty("detail").GetString()!;
}

[Trait(Servers.Trait, Servers.Any)]
public sealed class FleetInUseTests(FleetFixture fixture)
    : InUseFlows(new StorageUnderTest(fixture.Fleet.Client, fixture.Fleet.PoolPath)), IClassFixture<FleetFixture>;

[Trait(Servers.Trait, Servers.Any)]
public sealed class StandaloneInUseTests(StandaloneFixture fixture)
    : InUseFlows(new StorageUnderTest(fixture.Standalone.Client, fixture.Standalone.PoolPath)), IClassFixture<StandaloneFixture>;
