using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What stands in a merge's way, and what it has for itself.</summary>
public sealed class MergeTargetTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task It_has_the_volume_and_the_snapshot_for_itself_and_is_about_the_volume()
    {
        await ledger.ReportAsync(ledger.Event(
            new WorkerAnnounced(new WorkerAnnouncement(LedgerFixture.Host, PoolFamily.Block, Guid.NewGuid(), "1", DateTimeOffset.UnixEpoch,
                [new PoolTypeSupport(PoolType.Logical, true, null, ["MergeVolume"], [], [])], [])),
            Resources.Worker(LedgerFixture.Host, PoolFamily.Block)));
        var pool = (await ledger.AcceptAsync(new DefinePool(null, new PoolDefinition { Type = PoolType.Logical, Name = "guests" }, LedgerFixture.Host))).PoolId!.Value;
        var start = await ledger.AcceptAsync(new StartPool(null, "guests"));
        await ledger.ReportAsync(
            ledger.Event(new PoolStarted(pool, new PoolObservation(PoolState.Running, 1000, 400, 600)), Resources.Pool(pool), start.Id), ledger.Success(start.Id));
        await ledger.ReportAsync(ledger.Event(new VolumesObserved(pool, null, null, [.. new[] { "data", "then" }.Select(name => new VolumeDefinition { Name = name })]), Resources.Pool(pool)));
        Assert.Equal("snapshot", (await Assert.ThrowsAsync<StorageException>(() => ledger.AcceptAsync(new MergeVolume(null, "guests", "data", "never")))).Error.Field);
        var merge = await ledger.AcceptAsync(new MergeVolume(null, "guests", "data", "then"));
        Assert.Equal(Resources.Volume(pool, "data"), merge.Resource);
        var claims = await ledger.QueryAsync(db => db.Claims.Where(row => row.OperationId == merge.Id).Select(row => new { row.Resource, row.Exclusive }).ToListAsync());
        Assert.Equal(
            [(Resources.Pool(pool), false), (Resources.Volume(pool, "data"), true), (Resources.Volume(pool, "then"), true)],
            claims.Select(row => (row.Resource, row.Exclusive)).OrderBy(row => row.Resource, StringComparer.Ordinal));
    }

    [Fact]
    public void A_volume_is_no_snapshot_of_itself() => Assert.Equal(
        "snapshot", Assert.Throws<StorageException>(() => CommandRules.Complete(new MergeVolume(null, "guests", "data", "data"))).Error.Field);

    [Fact]
    public async Task A_type_without_snapshots_that_are_merged_refuses_it()
    {
        var pool = await ledger.RunningPoolAsync("files");
        var refused = await Assert.ThrowsAsync<StorageException>(() => ledger.AcceptAsync(new MergeVolume(null, pool.ToString(), "data", "then")));
        Assert.Equal(ErrorCodes.Unsupported, refused.Error.Code);
    }
}
