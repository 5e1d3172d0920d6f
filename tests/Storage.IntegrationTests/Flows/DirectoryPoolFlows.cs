using System.Net;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What a user does with directory pools over HTTP: the same on separate services and in one process.</summary>
public abstract class DirectoryPoolFlows(StorageUnderTest storage)
{
    private StorageClient Client => storage.Client;

    [Fact]
    public async Task A_directory_pool_lives_from_define_to_undefine()
    {
        var path = storage.PoolPath("lifecycle");
        var from = (await Client.ReadEventsAsync()).Select(entry => entry.Sequence!.Value).LastOrDefault();
        await Client.PostAsync("/v1/pools", new { type = "dir", name = "lifecycle", target = new { path, permissions = new { mode = "0750" } } });
        Assert.False(Directory.Exists(path));
        await Client.PostAsync("/v1/pools/lifecycle/build");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute,
            File.GetUnixFileMode(path));
        await Client.PostAsync("/v1/pools/lifecycle/start");
        var pool = await Client.ReadAsync("/v1/pools/lifecycle");
        Assert.Equal("running", pool.GetProperty("state").GetString());
        Assert.True(pool.GetProperty("capacity").GetInt64() > 0);
        Assert.InRange(pool.GetProperty("allocation").GetInt64() + pool.GetProperty("available").GetInt64(), 1, pool.GetProperty("capacity").GetInt64());

        await Client.PostAsync("/v1/pools/lifecycle/volumes", new { name = "sparse", capacity = "1 GiB", allocation = 0 });
        await Client.PostAsync("/v1/pools/lifecycle/volumes", new { name = "full", capacity = "2 MiB" });
        var sparse = await Client.ReadAsync("/v1/pools/lifecycle/volumes/sparse");
        Assert.Equal((1L << 30, 0L, "raw", $"{path}/sparse"), (sparse.GetProperty("capacity").GetInt64(), sparse.GetProperty("allocation").GetInt64(),
            sparse.GetProperty("format").GetString(), sparse.GetProperty("path").GetString()));
        Assert.Equal(2L << 20, (await Client.ReadAsync("/v1/pools/lifecycle/volumes/full")).GetProperty("allocation").GetInt64());
        Assert.Equal(1L << 30, new FileInfo($"{path}/sparse").Length);

        await Client.PostAsync("/v1/pools/lifecycle/stop");
        Assert.Equal(["full", "sparse"], StorageUnderTest.FilesIn(path));
        var refused = await Client.SendAsync(HttpMethod.Post, "/v1/pools/lifecycle/delete", wait: TimeSpan.FromSeconds(30));
        Assert.Equal((HttpStatusCode.Conflict, "invalid-state"), (refused.Status, refused.Body.GetProperty("code").GetString()));
        Assert.Equal(["full", "sparse"], StorageUnderTest.FilesIn(path));

        await Client.PostAsync("/v1/pools/lifecycle/start");
        await Client.DeleteAsync("/v1/pools/lifecycle/volumes/sparse");
        await Client.DeleteAsync("/v1/pools/lifecycle/volumes/full");
        await Client.PostAsync("/v1/pools/lifecycle/stop");
        await Client.PostAsync("/v1/pools/lifecycle/delete");
        Assert.False(Directory.Exists(path));
        await Client.DeleteAsync("/v1/pools/lifecycle");
        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync("/v1/pools/lifecycle")).Status);

        var told = (await Client.ReadEventsAsync(from)).Where(entry => !entry.Type.StartsWith("Operation", StringComparison.Ordinal) && Resources.PoolOf(entry.Resource) == pool.GetProperty("id").GetGuid());
        Assert.Equal(
            ["PoolDefined", "PoolBuilt", "PoolStarted", "VolumeCreated", "VolumeCreated", "PoolStopped", "PoolStarted", "VolumeDeleted", "VolumeDeleted", "PoolStopped", "PoolDeleted", "PoolUndefined"],
            told.Select(entry => entry.Type).Where(type => type != nameof(PoolSpaceChanged)));
    }

    [Fact]
    public async Task How_full_a_pool_is_follows_its_volumes_without_a_refresh()
    {
        await storage.RunningPoolAsync("filled");
        var id = (await Client.ReadAsync("/v1/pools/filled")).GetProperty("id").GetGuid();
        var from = (await Client.ReadEventsAsync()).Select(entry => entry.Sequence!.Value).LastOrDefault();
        await Client.PostAsync("/v1/pools/filled/volumes", new { name = "full", capacity = "64 MiB" });
        var told = await Eventually.GetAsync(
            "the pool's space to be told",
            async _ => (await Client.ReadEventsAsync(from)).FirstOrDefault(entry => entry.Type == nameof(PoolSpaceChanged) && Resources.PoolOf(entry.Resource) == id));
        var seen = told.Read<PoolSpaceChanged>();
        var pool = await Client.ReadAsync("/v1/pools/filled");
        Assert.Equal((seen.Allocation, seen.Available), (pool.GetProperty("allocation").GetInt64(), pool.GetProperty("available").GetInt64()));
    }

    [Fact]
    public async Task Two_hundred_volumes_posted_at_once_are_all_made()
    {
        var path = await storage.RunningPoolAsync("crowd");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            Client.PostAsync("/v1/pools/crowd/volumes", new { name = $"volume-{i:000}", capacity = 4096, allocation = 0 })));
        Assert.Equal(StorageUnderTest.FilesIn(path), await storage.VolumesAsync("crowd"));
        Assert.Equal(200, Directory.GetFiles(path).Length);
    }

    [Fact]
    public async Task A_thousand_volumes_in_one_command_are_all_made_or_none()
    {
        var path = await storage.RunningPoolAsync("bulk");
        var volumes = Enumerable.Range(0, 1000).Select(i => new { name = $"volume-{i:0000}", capacity = 1 << 20, allocation = 0 }).ToList();
        await Client.PostAsync("/v1/pools/bulk/volumes", volumes);
        Assert.Equal(StorageUnderTest.FilesIn(path), await storage.VolumesAsync("bulk"));

        await File.WriteAllTextAsync(Path.Combine(path, "in-the-way"), "", TestContext.Current.CancellationToken);
        var refused = await Client.SendAsync(HttpMethod.Post, "/v1/pools/bulk/volumes", wait: TimeSpan.FromSeconds(30),
            body: new[] { new { name = "new-one", capacity = 1, allocation = 0 }, new { name = "in-the-way", capacity = 1, allocation = 0 } });
        Assert.Equal("volume-exists", refused.Body.GetProperty("code").GetString());
        Assert.False(File.Exists(Path.Combine(path, "new-one")));
        Assert.Equal(1000, (await storage.VolumesAsync("bulk")).Length);
    }

    [Fact]
    public async Task A_thousand_volumes_go_by_one_command_or_none_of_them()
    {
        var path = await storage.RunningPoolAsync("going");
        var names = Enumerable.Range(0, 1000).Select(i => $"volume-{i:0000}").ToList();
        await Client.PostAsync("/v1/pools/going/volumes", names.Select(name => new { name, capacity = 1 << 20, allocation = 0 }).ToList());
        // A name that is also that of the verb.
        await Client.PostAsync("/v1/pools/going/volumes", new { name = "delete", capacity = 1 << 20, allocation = 0 });
        const string Verb = "/v1/pools/going/volumes/delete";
        var unknown = await Client.SendAsync(HttpMethod.Post, Verb, new { volumes = names.Take(2).Append("unknown") }, wait: TimeSpan.FromSeconds(30));
        Assert.Equal((HttpStatusCode.NotFound, "volume-not-found", "volumes[2]"),
            (unknown.Status, unknown.Body.GetProperty("code").GetString(), unknown.Body.GetProperty("field").GetString()));
        Assert.Equal(1001, Directory.GetFiles(path).Length);

        var request = new { volumes = names };
        var operation = await Client.SubmitAsync(HttpMethod.Post, Verb, request, key: "away-with-them");
        Assert.Equal("succeeded", (await Client.EndOfAsync(operation)).GetProperty("state").GetString());
        Assert.Equal(operation, await Client.SubmitAsync(HttpMethod.Post, Verb, request, key: "away-with-them"));
        Assert.Equal(["delete"], StorageUnderTest.FilesIn(path));
        Assert.Equal(["delete"], await storage.VolumesAsync("going"));
        Assert.Equal(names, (await Client.ReadEventsAsync()).Where(entry => entry.CommandId == operation && entry.Type == nameof(VolumeDeleted))
            .Select(entry => Resources.VolumeOf(entry.Resource)!).Order(StringComparer.Ordinal));

        Assert.Equal("delete", (await Client.ReadAsync(Verb)).GetProperty("name").GetString());
        await Client.DeleteAsync(Verb);
        Assert.Empty(StorageUnderTest.FilesIn(path));
    }

    [Fact]
    public async Task What_happens_behind_our_back_is_told_once_as_external()
    {
        var path = await storage.RunningPoolAsync("drift");
        await Client.PostAsync("/v1/pools/drift/volumes", new { name = "ours", capacity = 4096, allocation = 0 });
        await Client.PostAsync("/v1/pools/drift/volumes", new { name = "grows", capacity = 4096, allocation = 0 });
        var from = (await Client.ReadEventsAsync())[^1].Sequence!.Value;
        File.Delete(Path.Combine(path, "ours"));
        await File.WriteAllBytesAsync(Path.Combine(path, "foreign"), new byte[10_000], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(path, "grows"), new byte[8192], TestContext.Current.CancellationToken);
        await Client.PostAsync("/v1/pools/drift/refresh");
        Assert.Equal(["foreign", "grows"], await storage.VolumesAsync("drift"));
        var drift = (await Client.ReadAsync("/v1/pools/drift")).GetProperty("id").GetGuid();
        // What happened to the pools of others may be told meanwhile, too.
        var told = (await Client.ReadEventsAsync(from)).Where(entry => entry.Cause is EventCause.External && Resources.PoolOf(entry.Resource) == drift);
        Assert.Equal(["VolumeAppeared foreign", "VolumeChanged grows", "VolumeVanished ours"],
            told.Select(entry => $"{entry.Type} {Resources.VolumeOf(entry.Resource)}").Order());
    }

    [Fact]
    public async Task An_image_with_a_backing_store_is_made_by_the_hosts_tool()
    {
        var path = await storage.RunningPoolAsync("images");
        await Client.PostAsync("/v1/pools/images/volumes", new { name = "base.qcow2", capacity = "64 MiB", format = "qcow2", allocation = 0 });
        await Client.PostAsync("/v1/pools/images/volumes",
            new { name = "top.qcow2", capacity = "64 MiB", allocation = 0, format = "qcow2", backingStore = new { path = $"{path}/base.qcow2", format = "qcow2" } });
        var top = await Client.ReadAsync("/v1/pools/images/volumes/top.qcow2");
        Assert.Equal(("qcow2", 64L << 20), (top.GetProperty("format").GetString(), top.GetProperty("capacity").GetInt64()));
        Assert.Equal($"{path}/base.qcow2", top.GetProperty("backingStore").GetProperty("path").GetString());
    }

    [Fact]
    public async Task A_pool_and_a_volume_go_in_and_out_as_libvirts_xml()
    {
        var path = storage.PoolPath("xml");
        await Client.PostAsync("/v1/pools", StorageClient.Xml(
            $"<pool type='dir'><name>xml</name><uuid>0b9b5d1c-7a51-4d2c-9a55-5d0f3f7d3c11</uuid><target><path>{path}</path></target></pool>"));
        await Client.PostAsync("/v1/pools/xml/build");
        await Client.PostAsync("/v1/pools/xml/start");
        await Client.PostAsync("/v1/pools/xml/volumes", StorageClient.Xml(
            "<volume><name>a.img</name><capacity unit='MiB'>8</capacity><allocation>0</allocation></volume>"));
        var pool = await Client.GetAsync("/v1/pools/0b9b5d1c-7a51-4d2c-9a55-5d0f3f7d3c11", ("Accept", "application/xml"));
        Assert.StartsWith("<pool type='dir'>\n  <name>xml</name>\n  <uuid>0b9b5d1c-7a51-4d2c-9a55-5d0f3f7d3c11</uuid>\n  <capacity unit='bytes'>", pool.Text, StringComparison.Ordinal);
        Assert.Contains($"  <target>\n    <path>{path}</path>", pool.Text, StringComparison.Ordinal);
        var volume = await Client.GetAsync("/v1/pools/xml/volumes/a.img", ("Accept", "application/xml"));
        Assert.StartsWith($"<volume type='file'>\n  <name>a.img</name>\n  <key>{path}/a.img</key>\n  <capacity unit='bytes'>8388608</capacity>", volume.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_key_twice_makes_one_volume_and_another_payload_is_refused()
    {
        await storage.RunningPoolAsync("keyed");
        var volume = new { name = "once", capacity = 4096, allocation = 0 };
        var first = await Client.SubmitAsync(HttpMethod.Post, "/v1/pools/keyed/volumes", volume, key: "order-4711");
        await Client.EndOfAsync(first);
        Assert.Equal(first, await Client.SubmitAsync(HttpMethod.Post, "/v1/pools/keyed/volumes", volume, key: "order-4711"));
        var other = await Client.SendAsync(HttpMethod.Post, "/v1/pools/keyed/volumes", new { name = "other", capacity = 4096, allocation = 0 }, key: "order-4711");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency-mismatch"), (other.Status, other.Body.GetProperty("code").GetString()));
        Assert.Equal(["once"], await storage.VolumesAsync("keyed"));
    }

    [Fact]
    public async Task The_event_stream_is_resumed_where_it_was_left()
    {
        var from = (await Client.ReadEventsAsync()).Select(entry => entry.Sequence!.Value).LastOrDefault();
        await Client.PostAsync("/v1/pools", new { type = "dir", name = "streamed", target = new { path = storage.PoolPath("streamed") } });
        var first = await FirstAsync(from, entry => entry.Type == nameof(PoolDefined));
        await Client.DeleteAsync("/v1/pools/streamed");
        var second = await FirstAsync(first.Sequence!.Value, entry => entry.Type == nameof(PoolUndefined));
        Assert.Equal(first.Resource, second.Resource);

        async Task<StorageEvent> FirstAsync(long after, Func<StorageEvent, bool> wanted)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(30));
            var last = after;
            await foreach (var entry in Client.StreamEventsAsync(after, limit.Token))
            {
                Assert.Equal(++last, entry.Sequence);
                if (wanted(entry))
                    return entry;
            }
            throw new InvalidOperationException("The stream ended.");
        }
    }

    [Fact]
    public async Task What_the_state_of_a_pool_forbids_is_refused_with_the_reason()
    {
        var path = await storage.RunningPoolAsync("strict");
        foreach (var (method, verb) in new[] { (HttpMethod.Post, "/build"), (HttpMethod.Post, "/start"), (HttpMethod.Post, "/delete"), (HttpMethod.Delete, "") })
            await RefusedAsync(method, $"/v1/pools/strict{verb}", null, 409, "invalid-state");
        await RefusedAsync(HttpMethod.Post, "/v1/pools/strict/volumes/none/clone", new { name = "copy" }, 404, "volume-not-found");
        await Client.PostAsync("/v1/pools/strict/stop");
        await RefusedAsync(HttpMethod.Post, "/v1/pools/strict/stop", null, 409, "invalid-state");
        await RefusedAsync(HttpMethod.Post, "/v1/pools/strict/refresh", null, 409, "invalid-state");
        await RefusedAsync(HttpMethod.Post, "/v1/pools/strict/volumes", new { name = "a", capacity = 1 }, 409, "invalid-state");
        await RefusedAsync(HttpMethod.Delete, "/v1/pools/strict/volumes/a", null, 409, "invalid-state");
        Assert.Empty(StorageUnderTest.FilesIn(path));
    }

    [Fact]
    public async Task A_definition_is_replaced_only_under_its_etag()
    {
        var path = storage.PoolPath("tagged");
        await Client.PostAsync("/v1/pools", new { type = "dir", name = "tagged", target = new { path } });
        var tag = (await Client.GetAsync("/v1/pools/tagged")).ETag!;
        var definition = new { type = "dir", name = "tagged", target = new { path = path + "-2" } };
        var stale = await Client.SendAsync(HttpMethod.Put, "/v1/pools/tagged", definition, headers: ("If-Match", "\"99\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.Status);
        var fresh = await Client.SendAsync(HttpMethod.Put, "/v1/pools/tagged", definition, wait: TimeSpan.FromSeconds(30), headers: ("If-Match", tag));
        Assert.Equal(HttpStatusCode.OK, fresh.Status);
        var pool = await Client.ReadAsync("/v1/pools/tagged");
        Assert.Equal(path + "-2", pool.GetProperty("definition").GetProperty("target").GetProperty("path").GetString());
    }

    [Fact]
    public async Task One_volume_is_looked_at_again_without_the_others()
    {
        var path = await storage.RunningPoolAsync("one");
        await Client.PostAsync("/v1/pools/one/volumes", new[] { new { name = "a", capacity = 4096, allocation = 0 }, new { name = "b", capacity = 4096, allocation = 0 } });
        foreach (var name in new[] { "a", "b" })
            await File.WriteAllBytesAsync(Path.Combine(path, name), new byte[8192], TestContext.Current.CancellationToken);
        var look = (await Client.PostAsync("/v1/pools/one/volumes/a/refresh")).GetProperty("id").GetGuid();
        Assert.Equal(8192, (await Client.ReadAsync("/v1/pools/one/volumes/a")).GetProperty("capacity").GetInt64());
        Assert.Equal(["a"], (await Client.ReadEventsAsync()).Where(entry => entry.CommandId == look).Select(entry => Resources.VolumeOf(entry.Resource)).OfType<string>());
        File.Delete(Path.Combine(path, "a"));
        // Its watch may have seen it first.
        await Client.SendAsync(HttpMethod.Post, "/v1/pools/one/volumes/a/refresh", wait: TimeSpan.FromSeconds(30));
        Assert.Equal(["b"], await storage.VolumesAsync("one"));
    }

    [Fact]
    public async Task A_transient_pool_runs_at_once_and_is_forgotten_when_it_stops()
    {
        var path = Directory.CreateDirectory(storage.PoolPath("transient")).FullName;
        await Client.PostAsync("/v1/pools?transient=true", new { type = "dir", name = "transient", target = new { path } });
        var pool = await Client.ReadAsync("/v1/pools/transient");
        Assert.Equal(("running", false), (pool.GetProperty("state").GetString(), pool.GetProperty("persistent").GetBoolean()));
        await Client.PostAsync("/v1/pools/transient/stop");
        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync("/v1/pools/transient")).Status);
        Assert.True(Directory.Exists(path));
    }

    [Fact]
    public async Task Lists_are_paged_by_stable_cursors()
    {
        await storage.RunningPoolAsync("paged");
        await Client.PostAsync("/v1/pools/paged/volumes", Enumerable.Range(0, 25).Select(i => new { name = $"v{i:00}", capacity = 1, allocation = 0 }).ToList());
        var names = (await Client.ReadAllAsync("/v1/pools/paged/volumes", limit: 10)).Select(StorageUnderTest.Name);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"v{i:00}"), names);
    }

    private async Task RefusedAsync(HttpMethod method, string path, object? body, int status, string? code)
    {
        var answer = await Client.SendAsync(method, path, body, wait: TimeSpan.FromSeconds(30));
        Assert.Equal((path, status), (path, (int)answer.Status));
        Assert.Equal("application/problem+json", answer.ContentType);
        if (code is not null)
            Assert.Equal(code, answer.Body.GetProperty("code").GetString());
    }
}

public sealed class FleetDirectoryPoolTests(FleetFixture fixture)
    : DirectoryPoolFlows(new StorageUnderTest(fixture.Fleet.Client, fixture.Fleet.PoolPath)), IClassFixture<FleetFixture>;

[Trait(Servers.Trait, Servers.Any)]
public sealed class StandaloneDirectoryPoolTests(StandaloneFixture fixture)
    : DirectoryPoolFlows(new StorageUnderTest(fixture.Standalone.Client, fixture.Standalone.PoolPath)), IClassFixture<StandaloneFixture>;
