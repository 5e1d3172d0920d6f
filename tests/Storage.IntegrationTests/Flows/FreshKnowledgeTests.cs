using System.Net;
using System.Net.Http.Headers;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What is known of volumes follows what others do with them.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class FreshKnowledgeTests(FleetFixture fixture) : IClassFixture<FleetFixture>
{
    private static readonly TimeSpan Promptly = TimeSpan.FromSeconds(5);

    private readonly StorageUnderTest storage = new(fixture.Fleet.Client, fixture.Fleet.PoolPath);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private StorageClient Client => fixture.Fleet.Client;

    [Fact]
    public async Task A_file_made_behind_our_back_appears_changes_and_vanishes_without_a_command()
    {
        var path = await storage.RunningPoolAsync("watched");
        var file = Path.Combine(path, "foreign");
        await File.WriteAllBytesAsync(file, new byte[4096], Cancellation);
        var appeared = await ExternalAsync("watched", "foreign", nameof(VolumeAppeared));
        Assert.Equal(("host-a", null), (appeared.Host, appeared.CommandId));
        Assert.Equal(["foreign"], await storage.VolumesAsync("watched"));
        await File.WriteAllBytesAsync(file, new byte[8192], Cancellation);
        await ExternalAsync("watched", "foreign", nameof(VolumeChanged));
        Assert.Equal(8192, (await Client.ReadAsync("/v1/pools/watched/volumes/foreign")).GetProperty("capacity").GetInt64());
        File.Delete(file);
        await ExternalAsync("watched", "foreign", nameof(VolumeVanished));
        Assert.Empty(await storage.VolumesAsync("watched"));
    }

    [Fact]
    public async Task What_others_write_enlarge_and_delete_is_seen_within_five_seconds()
    {
        var path = await storage.RunningPoolAsync("prompt");
        await Client.PostAsync("/v1/pools/prompt/stop");
        await Task.WhenAll(new[] { "larger", "gone" }.Select(name => File.WriteAllBytesAsync(Path.Combine(path, name), new byte[4096], Cancellation)));
        await Client.PostAsync("/v1/pools/prompt/start");
        Assert.Equal(["gone", "larger"], await storage.VolumesAsync("prompt"));

        await File.WriteAllBytesAsync(Path.Combine(path, "new"), new byte[4096], Cancellation);
        await File.WriteAllBytesAsync(Path.Combine(path, "larger"), new byte[8192], Cancellation);
        File.Delete(Path.Combine(path, "gone"));
        var deleted = DateTime.UtcNow;
        AssertPrompt(File.GetLastWriteTimeUtc(Path.Combine(path, "new")), await ExternalAsync("prompt", "new", nameof(VolumeAppeared)));
        AssertPrompt(File.GetLastWriteTimeUtc(Path.Combine(path, "larger")), await ExternalAsync("prompt", "larger", nameof(VolumeChanged)));
        AssertPrompt(deleted, await ExternalAsync("prompt", "gone", nameof(VolumeVanished)));

        static void AssertPrompt(DateTime done, StorageEvent told)
        {
            var after = told.OccurredAt - done;
            Assert.True(after <= Promptly, $"{told.Type} occurred {after} after it was done.");
        }
    }

    [Fact]
    public async Task Two_hundred_volumes_made_by_commands_are_told_by_nobody_else()
    {
        var path = await storage.RunningPoolAsync("ours");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            Client.PostAsync("/v1/pools/ours/volumes", new { name = $"volume-{i:000}", capacity = 65536, allocation = i % 2 * 65536 })));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Client.DeleteAsync($"/v1/pools/ours/volumes/volume-{i:000}")));
        // Looked at after everything that was to be looked at by then.
        await File.WriteAllTextAsync(Path.Combine(path, "foreign"), "", Cancellation);
        await ExternalAsync("ours", "foreign", nameof(VolumeAppeared));
        Assert.Equal(["foreign"], (await ExternalAsync("ours")).Select(entry => Resources.VolumeOf(entry.Resource)));
        Assert.Equal(151, (await storage.VolumesAsync("ours")).Length);
    }

    [Fact]
    public async Task More_files_than_are_told_one_by_one_are_all_found()
    {
        var path = await storage.RunningPoolAsync("flooded");
        Parallel.For(0, 3000, i => File.WriteAllText(Path.Combine(path, $"{i:0000}"), ""));
        await Eventually.HoldsAsync("all files to be known", async _ => (await storage.VolumesAsync("flooded")).Length == 3000);
        Assert.Equal(3000, (await ExternalAsync("flooded")).Count);
    }

    [Fact]
    public async Task A_directory_that_is_removed_makes_its_pool_inaccessible_until_it_is_back()
    {
        var path = await storage.RunningPoolAsync("removed");
        Directory.Delete(path, recursive: true);
        await StateAsync("removed", "inaccessible");
        Directory.CreateDirectory(path);
        await StateAsync("removed", "running");
        await File.WriteAllTextAsync(Path.Combine(path, "foreign"), "", Cancellation);
        await ExternalAsync("removed", "foreign", nameof(VolumeAppeared));
    }

    [Fact]
    public async Task What_is_older_than_the_client_takes_is_looked_at_first()
    {
        var path = await storage.RunningPoolAsync("aged");
        await Client.PostAsync("/v1/pools/aged/volumes", new { name = "a", capacity = 4096, allocation = 0 });
        await File.WriteAllBytesAsync(Path.Combine(path, "a"), new byte[8192], Cancellation);
        using var volume = await GetAsync("/v1/pools/aged/volumes/a", "max-age=0");
        Assert.Contains("\"capacity\":8192", await volume.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.InRange(volume.Headers.Age!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(30));

        await File.WriteAllTextAsync(Path.Combine(path, "unknown"), "", Cancellation);
        using var unknown = await GetAsync("/v1/pools/aged/volumes/unknown", "max-age=0");
        Assert.Equal(HttpStatusCode.OK, unknown.StatusCode);
        await File.WriteAllTextAsync(Path.Combine(path, "listed"), "", Cancellation);
        using var list = await GetAsync("/v1/pools/aged/volumes", "max-age=0");
        Assert.Contains("\"listed\"", await list.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        File.Delete(Path.Combine(path, "listed"));
        using var gone = await GetAsync("/v1/pools/aged/volumes/listed", "max-age=0");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        using var pool = await GetAsync("/v1/pools/aged", "max-age=0");
        Assert.NotNull(pool.Headers.Age);

        var looks = await LooksAsync();
        Assert.Equal(5, looks);
        foreach (var path200 in new[] { "/v1/pools/aged/volumes/a", "/v1/pools/aged/volumes", "/v1/pools/aged" })
        {
            using var young = await GetAsync(path200, "max-age=3600");
            Assert.Equal(HttpStatusCode.OK, young.StatusCode);
        }
        Assert.Equal(looks, await LooksAsync());

        async Task<int> LooksAsync() => (await Client.ReadAllAsync("/v1/operations?pool=aged", limit: 1000))
            .Count(operation => operation.GetProperty("command").GetString() is "RefreshPool" or "RefreshVolume" && operation.GetProperty("cause").GetString() == "command");
    }

    [Fact]
    public async Task Those_who_ask_at_the_same_time_share_a_look()
    {
        await storage.RunningPoolAsync("asked");
        await Client.PostAsync("/v1/pools/asked/volumes", new { name = "a", capacity = 4096, allocation = 0 });
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async _ =>
        {
            using var answer = await GetAsync("/v1/pools/asked/volumes/a", "max-age=0");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }));
        var looks = (await Client.ReadAllAsync("/v1/operations?pool=asked", limit: 1000)).Count(operation => operation.GetProperty("command").GetString() == "RefreshVolume");
        Assert.InRange(looks, 1, 20);
    }

    [Theory]
    [InlineData("/v1/pools/{pool}")]
    [InlineData("/v1/pools/{pool}/volumes")]
    [InlineData("/v1/pools/{pool}/volumes/{volume}")]
    public async Task The_api_document_says_that_an_age_can_be_asked_for(string path)
    {
        var get = (await Client.ReadAsync("/openapi/v1.json")).GetProperty("paths").GetProperty(path).GetProperty("get");
        Assert.Contains("Cache-Control", get.GetProperty("parameters").EnumerateArray().Select(StorageUnderTest.Name));
        Assert.True(get.GetProperty("responses").GetProperty("200").GetProperty("headers").TryGetProperty("Age", out _));
    }

    [Fact]
    public async Task A_look_that_cannot_be_or_does_not_come_in_time_is_a_typed_error()
    {
        await storage.RunningPoolAsync("silent");
        await Client.PostAsync("/v1/pools/silent/volumes", new { name = "a", capacity = 4096, allocation = 0 });
        await Client.PostAsync("/v1/pools/silent/stop");
        var stopped = await Client.GetAsync("/v1/pools/silent/volumes/a", ("Cache-Control", "max-age=0"));
        Assert.Equal((409, "invalid-state"), ((int)stopped.Status, stopped.Body.GetProperty("code").GetString()));
        await Client.PostAsync("/v1/pools/silent/start");
        var worker = fixture.Fleet.Workers[0];
        await worker.StopAsync();
        try
        {
            foreach (var path in new[] { "/v1/pools/silent/volumes/a", "/v1/pools/silent", "/v1/pools/silent/volumes" })
            {
                var late = await Client.GetAsync(path, ("Cache-Control", "max-age=0"), ("Prefer", "wait=1"));
                Assert.Equal((504, "timeout"), ((int)late.Status, late.Body.GetProperty("code").GetString()));
            }
            Assert.Equal(HttpStatusCode.OK, (await Client.GetAsync("/v1/pools/silent/volumes/a")).Status);
        }
        finally
        {
            await worker.StartAsync();
        }
    }

    [Fact]
    public async Task After_a_kill_of_the_worker_its_pools_are_watched_again()
    {
        var path = await storage.RunningPoolAsync("killed");
        await fixture.Fleet.Workers[0].KillAsync();
        await File.WriteAllTextAsync(Path.Combine(path, "meanwhile"), "", Cancellation);
        await fixture.Fleet.Workers[0].StartAsync();
        await ExternalAsync("killed", "meanwhile", nameof(VolumeAppeared));
        await File.WriteAllTextAsync(Path.Combine(path, "after"), "", Cancellation);
        var after = await ExternalAsync("killed", "after", nameof(VolumeAppeared));
        Assert.Null(after.CommandId);
    }

    private Task StateAsync(string pool, string state) => Eventually.HoldsAsync($"{pool} to be {state}", async _ =>
        (await Client.ReadAsync($"/v1/pools/{pool}")).GetProperty("state").GetString() == state);

    private Task<StorageEvent> ExternalAsync(string pool, string volume, string type) => Eventually.GetAsync($"{type} of {volume}", async _ =>
        (await ExternalAsync(pool)).LastOrDefault(entry => entry.Type == type && Resources.VolumeOf(entry.Resource) == volume));

    private async Task<IReadOnlyList<StorageEvent>> ExternalAsync(string pool)
    {
        var id = (await Client.ReadAsync($"/v1/pools/{pool}")).GetProperty("id").GetGuid();
        return [.. (await Client.ReadEventsAsync()).Where(entry => entry.Cause is EventCause.External && Resources.PoolOf(entry.Resource) == id)];
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string cacheControl)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { CacheControl = CacheControlHeaderValue.Parse(cacheControl) } };
        return await fixture.Fleet.Http.SendAsync(request, Cancellation);
    }
}
