using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

public sealed class VolumeReadTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_volume_is_found_by_the_name_and_by_the_uuid_of_its_pool()
    {
        var pool = await PoolAsync("found", "disk");
        foreach (var named in new[] { new VolumeAddress("found", null, "disk"), new("found", LedgerFixture.Host, "disk"), new(pool.ToString(), null, "disk") })
        {
            var found = await ReadAsync(named);
            Assert.Equal((pool, "found", PoolType.Dir), (found.Pool, found.PoolName, found.PoolType));
            Assert.Contains("\"disk\"", found.Volume!.Document, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_volume_that_is_gone_or_never_was_leaves_its_pool()
    {
        var pool = await PoolAsync("gone", "disk");
        await ledger.ReportAsync(ledger.Event(new VolumeVanished(pool, "disk"), Resources.Volume(pool, "disk")));
        foreach (var name in new[] { "disk", "never" })
        {
            var found = await ReadAsync(new VolumeAddress("gone", null, name));
            Assert.Equal(pool, found.Pool);
            Assert.Null(found.Volume);
        }
    }

    [Fact]
    public async Task A_pool_that_is_not_there_or_on_another_host_is_refused()
    {
        await PoolAsync("here");
        foreach (var named in new[] { new VolumeAddress("nowhere", null, "a"), new("here", "host-z", "a"), new(Guid.NewGuid().ToString(), null, "a") })
            Assert.Equal(ErrorCodes.PoolNotFound, (await Assert.ThrowsAsync<StorageException>(() => ReadAsync(named))).Error.Code);
    }

    [Fact]
    public async Task A_name_on_several_hosts_is_refused_with_their_names_unless_one_is_said()
    {
        var here = await PoolAsync("twice", "disk");
        var there = await RowAsync("twice", "host-b");
        var refused = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(new VolumeAddress("twice", null, "disk")));
        Assert.Equal(ErrorCodes.HostAmbiguous, refused.Error.Code);
        Assert.Contains($"{LedgerFixture.Host}, host-b", refused.Error.Message, StringComparison.Ordinal);
        Assert.Equal(here, (await ReadAsync(new VolumeAddress("twice", LedgerFixture.Host, "disk"))).Pool);
        Assert.Equal(there, (await ReadAsync(new VolumeAddress("twice", "host-b", "disk"))).Pool);
        Assert.Equal(there, (await ReadAsync(new VolumeAddress(there.ToString(), null, "disk"))).Pool);
    }

    [Fact]
    public async Task A_pool_of_a_uuid_goes_before_one_that_has_it_for_a_name()
    {
        var pool = await PoolAsync("first", "disk");
        await RowAsync(pool.ToString(), LedgerFixture.Host);
        Assert.Equal("first", (await ReadAsync(new VolumeAddress(pool.ToString(), null, "disk"))).PoolName);
    }

    [Fact]
    public async Task Those_who_ask_together_have_their_own_answers()
    {
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"disk-{i}")];
        await PoolAsync("left", names);
        await PoolAsync("right", names);
        var asked = Enumerable.Range(0, 200).Select(i => new VolumeAddress(i % 3 == 0 ? "left" : i % 3 == 1 ? "right" : "nowhere", null, names[i % 20])).ToList();
        var found = await Task.WhenAll(asked.Select(async address =>
        {
            try
            {
                return await ReadAsync(address);
            }
            catch (StorageException e) when (e.Error.Code == ErrorCodes.PoolNotFound)
            {
                return null;
            }
        }));
        Assert.All(asked.Zip(found), pair => Assert.Equal(
            pair.First.Pool == "nowhere" ? (null, null) : ((string?)pair.First.Pool, (string?)pair.First.Name), (pair.Second?.PoolName, pair.Second?.Volume?.Name)));
    }

    [Fact]
    public void What_was_seen_before_the_pool_was_refreshed_was_seen_by_the_refresh()
    {
        var earlier = DateTimeOffset.UtcNow.AddMinutes(-1);
        var volume = new VolumeDocument("a", earlier, "{}");
        Assert.Equal(earlier, volume.SeenAt(null));
        Assert.Equal(earlier, volume.SeenAt(earlier.AddSeconds(-1)));
        Assert.Equal(earlier.AddSeconds(1), volume.SeenAt(earlier.AddSeconds(1)));
    }

    private Task<FoundVolume> ReadAsync(VolumeAddress address) => ledger.Get<VolumeReads>().FindAsync(address);

    private async Task<Guid> PoolAsync(string name, params string[] volumes)
    {
        var pool = await ledger.RunningPoolAsync(name);
        await ledger.ReportAsync([.. volumes.Select(volume => ledger.Event(new VolumeAppeared(pool, LedgerFixture.Raw(volume)), Resources.Volume(pool, volume)))]);
        return pool;
    }

    /// <summary>A pool that is only known.</summary>
    private Task<Guid> RowAsync(string name, string host) => ledger.QueryAsync(async db =>
    {
        var row = new PoolRow { Id = Guid.NewGuid(), Name = name, Host = host, Definition = StorageJson.ToElement(LedgerFixture.Dir(name)).GetRawText() };
        db.Add(row);
        await db.SaveChangesAsync(Cancellation);
        return row.Id;
    });
}
