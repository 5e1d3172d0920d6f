using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What others are built on stays.</summary>
public sealed class BackingVolumeTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_volume_that_others_are_built_on_is_not_taken_away_and_they_are_named(bool relative)
    {
        var (name, pool) = await PoolAsync("base");
        await SeenAsync(name, pool, "overlay", relative ? "./base" : $"/srv/{name}/base");
        foreach (ICommand command in new ICommand[]
        {
            new DeleteVolume(null, name, "base"), new WipeVolume(null, name, "base"), new ResizeVolume(null, name, "base", 1, Shrink: true),
        })
        {
            var error = await ledger.RefusedAsync(command);
            Assert.Equal((ErrorCodes.InUse, "volume"), (error.Code, error.Field));
            Assert.Equal($"Volume 'base' is the backing store of 'overlay' in pool '{name}'.", error.Message);
        }
        // What takes nothing away, or is forced, is done.
        await ledger.AcceptAsync(new ResizeVolume(null, name, "base", 4096));
        await ledger.AcceptAsync(new DeleteVolume(null, name, "base", Force: true));
    }

    [Fact]
    public async Task When_the_last_one_that_was_built_on_it_is_gone_it_may_go()
    {
        var (name, pool) = await PoolAsync("base");
        var (other, otherPool) = await PoolAsync();
        await SeenAsync(other, otherPool, "overlay", $"/srv/{name}/base");
        Assert.Equal($"Volume 'base' is the backing store of 'overlay' in pool '{other}'.", (await ledger.RefusedAsync(new DeleteVolume(null, name, "base"))).Message);
        await ledger.ReportAsync(ledger.Event(new VolumeVanished(otherPool, "overlay"), Resources.Volume(otherPool, "overlay")));
        await ledger.AcceptAsync(new DeleteVolume(null, name, "base"));
    }

    [Fact]
    public async Task A_volume_is_not_deleted_while_another_one_is_being_built_on_it_nor_afterwards()
    {
        var (name, pool) = await PoolAsync("base");
        var (other, _) = await PoolAsync();
        var create = await ledger.AcceptAsync(new CreateVolume(null, other, Overlay("overlay", $"/srv//{name}/./base")));
        var delete = await ledger.AcceptAsync(new DeleteVolume(null, name, "base"));
        Assert.Equal(OperationState.Queued, (await ledger.OperationAsync(delete.Id)).State);

        var made = Overlay("overlay", $"/srv/{name}/base") with { Path = $"/srv/{other}/overlay" };
        await ledger.ReportAsync(
            ledger.Event(new VolumeCreated(create.PoolId!.Value, made), Resources.Volume(create.PoolId.Value, "overlay"), create.Id), ledger.Success(create.Id));

        var ended = await ledger.OperationAsync(delete.Id);
        Assert.Equal(OperationState.Failed, ended.State);
        Assert.Contains(ErrorCodes.InUse, ended.Error, StringComparison.Ordinal);
    }

    private async Task<(string Name, Guid Id)> PoolAsync(params string[] volumes)
    {
        ledger.Operations = ["Build", "Delete", "CreateVolume", "DeleteVolume", "WipeVolume", "ResizeVolume"];
        await ledger.AnnounceAsync();
        var name = Guid.NewGuid().ToString("N");
        var pool = await ledger.RunningPoolAsync(name);
        foreach (var volume in volumes)
            await SeenAsync(name, pool, volume, null);
        return (name, pool);
    }

    private Task SeenAsync(string pool, Guid id, string volume, string? backing) => ledger.ReportAsync(ledger.Event(
        new VolumeAppeared(id, (backing is null ? LedgerFixture.Raw(volume) : Overlay(volume, backing)) with { Path = $"/srv/{pool}/{volume}" }),
        Resources.Volume(id, volume)));

    // Of a format that the fixture's worker makes.
    private static VolumeDefinition Overlay(string name, string backing) =>
        LedgerFixture.Raw(name) with { Format = "qed", BackingStore = new BackingStore(backing, "raw") };
}
