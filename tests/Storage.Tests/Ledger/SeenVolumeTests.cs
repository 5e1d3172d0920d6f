using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What a worker's watch tells of single volumes.</summary>
public sealed class SeenVolumeTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    private static readonly VolumeDefinition Raw = LedgerFixture.Raw("a") with { Timestamps = new Timestamps(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch) };

    [Fact]
    public async Task Only_differences_are_told_as_external_and_nothing_of_what_is_not_named()
    {
        var pool = await KnownAsync("seen", "a", "b", "c");
        var from = await LastAsync();
        await SeeAsync(pool, [Raw with { Capacity = 4096 }, Raw with { Name = "b" }, Raw with { Name = "new" }], ["c", "never"]);
        Assert.Equal(["VolumeAppeared new", "VolumeChanged a", "VolumeVanished c"], await ToldAsync(from));
        Assert.Equal(["a", "b", "new"], await NamesAsync(pool));
        Assert.All(await ledger.QueryAsync(db => db.Events.Where(row => row.Sequence > from).ToListAsync()), row => Assert.Equal(EventCause.External, row.Cause));
    }

    [Fact]
    public async Task That_a_volume_was_read_is_no_difference()
    {
        var pool = await KnownAsync("read", "a");
        var from = await LastAsync();
        await SeeAsync(pool, [Raw with { Timestamps = Raw.Timestamps! with { Access = DateTimeOffset.UnixEpoch.AddDays(1) } }], []);
        Assert.Empty(await ToldAsync(from));
    }

    [Fact]
    public async Task A_commands_later_event_wins_also_where_it_comes_first()
    {
        var pool = await KnownAsync("raced", "a");
        var seen = ledger.Event(new VolumesSeen(pool, [Raw with { Capacity = 1 }, Raw with { Name = "gone" }], []), Resources.Pool(pool));
        await ledger.ReportAsync(
            ledger.Event(new VolumeResized(pool, Raw with { Capacity = 9 }), Resources.Volume(pool, "a")),
            ledger.Event(new VolumeDeleted(pool, "gone"), Resources.Volume(pool, "gone")));
        var from = await LastAsync();
        await ledger.ReportAsync(seen);
        Assert.Empty(await ToldAsync(from));
        Assert.Equal(9, await ledger.QueryAsync(db => db.Volumes.Where(row => row.PoolId == pool && row.Name == "a").Select(row => row.Capacity).SingleAsync()));
    }

    [Fact]
    public async Task Of_a_pool_that_has_stopped_meanwhile_nothing_is_told()
    {
        var pool = await KnownAsync("stopped", "a");
        var stop = await ledger.AcceptAsync(new StopPool(null, pool.ToString()));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool), stop.Id), ledger.Success(stop.Id));
        var from = await LastAsync();
        await SeeAsync(pool, [Raw with { Name = "late" }], ["a"]);
        await ledger.ReportAsync(ledger.Event(new PoolStateChanged(pool, PoolState.Inaccessible, "unmounted"), Resources.Pool(pool)));
        Assert.Empty(await ToldAsync(from));
        Assert.Equal(PoolState.Inactive, await ledger.QueryAsync(db => db.Pools.Where(row => row.Id == pool).Select(row => row.State).SingleAsync()));
    }

    [Fact]
    public async Task A_thin_pool_that_comes_to_a_threshold_is_told_once_on_the_way_up()
    {
        var pool = await KnownAsync("thin", "a");
        var from = await LastAsync();
        foreach (var (data, metadata) in new[] { (10.0, 1.0), (79.9, 1), (91, 1), (92, 1), (50, 1), (50, 96), (100, 96) })
            await SeeAsync(pool, [Raw with { Layout = new VolumeLayout(LayoutKind.ThinPool, DataPercent: data, MetadataPercent: metadata) }], []);
        await SeeAsync(pool, [Raw with { Layout = new VolumeLayout(LayoutKind.Thin, DataPercent: 99) }], []);
        var told = await ledger.QueryAsync(db => db.Events.Where(row => row.Sequence > from && row.Type == nameof(ThinPoolFilled)).OrderBy(row => row.Sequence).Select(row => row.Data).ToListAsync());
        // One that is full already when it is seen for the first time, too.
        await SeeAsync(pool, [Raw with { Name = "full", Layout = new VolumeLayout(LayoutKind.ThinPool, DataPercent: 85) }], []);
        told.AddRange(await ledger.QueryAsync(db => db.Events.Where(row => row.Type == nameof(ThinPoolFilled) && row.Resource == Resources.Volume(pool, "full")).Select(row => row.Data).ToListAsync()));
        Assert.Equal([90, 95, 100, 80], told.Select(data => System.Text.Json.JsonSerializer.Deserialize<ThinPoolFilled>(data, StorageJson.Options)!.Threshold));
    }

    private async Task<Guid> KnownAsync(string name, params string[] volumes)
    {
        var pool = await ledger.RunningPoolAsync(name);
        await ledger.ReportAsync(ledger.Event(
            new VolumesObserved(pool, null, null, [.. volumes.Select(volume => Raw with { Name = volume })]), Resources.Pool(pool)));
        return pool;
    }

    private Task SeeAsync(Guid pool, IReadOnlyList<VolumeDefinition> there, IReadOnlyList<string> gone) =>
        ledger.ReportAsync(ledger.Event(new VolumesSeen(pool, there, gone), Resources.Pool(pool)));

    private Task<long> LastAsync() => ledger.QueryAsync(db => db.Events.MaxAsync(row => row.Sequence));

    private Task<List<string>> ToldAsync(long from) => ledger.QueryAsync(async db =>
        (await db.Events.Where(row => row.Sequence > from).ToListAsync()).Select(row => $"{row.Type} {Resources.VolumeOf(row.Resource)}").Order().ToList());

    private Task<List<string>> NamesAsync(Guid pool) => ledger.QueryAsync(
        db => db.Volumes.Where(row => row.PoolId == pool && !row.Removed).OrderBy(row => row.Name).Select(row => row.Name).ToListAsync());
}
