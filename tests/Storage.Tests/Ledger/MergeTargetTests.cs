using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What stands in a merge's way, and what it has for itself.</summary>
public sealed class MergeTargetTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public void It_has_the_volume_and_the_snapshot_for_itself_and_is_about_the_volume()
    {
        var pool = new PoolRow { Id = Guid.NewGuid(), Name = "guests", Host = "host-a", Type = PoolType.Logical, Definition = "{}" };
        var target = new Target("host-a", PoolType.Logical, pool, ["data", "then"]);
        Assert.Equal(
            [(Resources.Pool(pool.Id), false), (Resources.Volume(pool.Id, "data"), true), (Resources.Volume(pool.Id, "then"), true)],
            target.Claims(CommandTypes.Of(new MergeVolume(null, "guests", "data", "then")).Scope));
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
