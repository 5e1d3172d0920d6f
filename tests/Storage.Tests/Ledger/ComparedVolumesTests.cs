using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Parts of a refresh that are told by digests.</summary>
public sealed class ComparedVolumesTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task Ranges_that_are_as_they_were_are_known_and_others_are_not()
    {
        var pool = await PoolAsync("compared", "a", "b", "c", "d", "e");
        Assert.Equal([0, 1, 2], await KnownAsync(pool, null, ("b", ["a", "b"]), ("d", ["c", "d"]), (null, ["e"])));
        Assert.Equal([1], await KnownAsync(pool, null, ("b", ["a"]), ("d", ["c", "d"]), (null, ["e", "f"])));
        Assert.Equal([0], await KnownAsync(pool, "b", ("d", ["c", "d"]), (null, [])));
    }

    [Fact]
    public async Task A_range_in_which_a_volume_was_changed_or_deleted_is_not_known()
    {
        var pool = await PoolAsync("changed", "a", "b", "c");
        await ledger.ReportAsync(
            ledger.Event(new VolumeChanged(pool, LedgerFixture.Raw("a") with { Allocation = 512 }), Resources.Volume(pool, "a")),
            ledger.Event(new VolumeDeleted(pool, "b"), Resources.Volume(pool, "b")));
        Assert.Equal([2], await KnownAsync(pool, null, ("a", ["a"]), ("b", ["b"]), (null, ["c"])));
    }

    [Fact]
    public async Task What_the_same_report_says_before_is_seen_by_the_comparison()
    {
        var pool = await PoolAsync("before", "a");
        var compared = Compared(pool, null, (null, ["a", "b"]));
        var taken = await ledger.AnswerAsync(
            ledger.Event(new VolumeCreated(pool, LedgerFixture.Raw("b")), Resources.Volume(pool, "b")), compared);
        Assert.Equal([0], Assert.Single(taken.Known!).Ranges);
    }

    [Fact]
    public async Task A_comparison_changes_and_logs_nothing()
    {
        var pool = await PoolAsync("unchanged", "a");
        var before = await ledger.QueryAsync(db => db.Events.MaxAsync(row => row.Sequence));
        await KnownAsync(pool, null, (null, ["b"]));
        Assert.Equal(before, await ledger.QueryAsync(db => db.Events.MaxAsync(row => row.Sequence)));
        Assert.Equal(["a"], await ledger.QueryAsync(db => db.Volumes.Where(row => row.PoolId == pool && !row.Removed).Select(row => row.Name).ToListAsync()));
    }

    [Fact]
    public async Task A_volume_that_was_written_before_digests_were_kept_is_known_once_it_was_told_in_full()
    {
        var pool = await PoolAsync("old", "a");
        await ledger.QueryAsync(db => db.Volumes.Where(row => row.PoolId == pool).ExecuteUpdateAsync(row => row.SetProperty(volume => volume.Digest, (byte[]?)null)));
        Assert.Empty(await KnownAsync(pool, null, (null, ["a"])));
        var events = await ledger.QueryAsync(db => db.Events.CountAsync());
        await ledger.ReportAsync(ledger.Event(new VolumesObserved(pool, null, null, [LedgerFixture.Raw("a")]), Resources.Pool(pool)));
        Assert.Equal([0], await KnownAsync(pool, null, (null, ["a"])));
        Assert.Equal(events, await ledger.QueryAsync(db => db.Events.CountAsync()));
    }

    private async Task<Guid> PoolAsync(string name, params string[] volumes)
    {
        var pool = await ledger.RunningPoolAsync(name);
        await ledger.ReportAsync(ledger.Event(new VolumesObserved(pool, null, null, [.. volumes.Select(LedgerFixture.Raw)]), Resources.Pool(pool)));
        return pool;
    }

    private async Task<IReadOnlyList<int>> KnownAsync(Guid pool, string? after, params (string? Through, string[] Names)[] ranges) =>
        Assert.Single((await ledger.AnswerAsync(Compared(pool, after, ranges))).Known!).Ranges;

    private StorageEvent Compared(Guid pool, string? after, params (string? Through, string[] Names)[] ranges) => ledger.Event(
        new VolumesCompared(pool, after, [.. ranges.Select(range => new VolumeRange(
            range.Through, VolumeDigest.OfRange([.. range.Names.SelectMany(name => VolumeDigest.Of(LedgerFixture.Raw(name)))])))]),
        Resources.Pool(pool));
}
