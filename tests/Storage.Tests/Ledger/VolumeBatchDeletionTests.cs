using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>The command that deletes many volumes, as the ledger judges, queues and ends it.</summary>
public sealed class VolumeBatchDeletionTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task What_is_wrong_with_its_list_is_refused_with_the_place()
    {
        var (name, _) = await PoolAsync("a", "b");
        foreach (var (volumes, code, field) in new (string[], string, string)[]
        {
            ([], ErrorCodes.InvalidArgument, "volumes"),
            ([.. Enumerable.Range(0, DeleteVolumes.Limit + 1).Select(i => $"{i}")], ErrorCodes.InvalidArgument, "volumes"),
            (["a", "b", "a"], ErrorCodes.InvalidArgument, "volumes[2]"),
            (["a", null!], ErrorCodes.InvalidDefinition, "volumes[1]"),
            (["a", "../b"], ErrorCodes.InvalidDefinition, "volumes[1]"),
            (["a", "gone"], ErrorCodes.VolumeNotFound, "volumes[1]"),
        })
        {
            var error = await ledger.RefusedAsync(new DeleteVolumes(null, name, volumes));
            Assert.Equal((code, field), (error.Code, error.Field));
        }
        Assert.Equal("volumes", (await ledger.RefusedAsync(new DeleteVolumes(null, name, null!))).Field);
    }

    [Fact]
    public async Task It_waits_for_what_is_done_to_any_of_its_volumes_and_the_next_one_for_it()
    {
        var (name, _) = await PoolAsync("a", "b");
        var wipe = await ledger.AcceptAsync(new DeleteVolume(null, name, "b"));
        var both = await ledger.AcceptAsync(new DeleteVolumes(null, name, ["a", "b"]));
        var later = await ledger.AcceptAsync(new RefreshVolume(null, name, "a"));
        Assert.Equal([OperationState.Queued, OperationState.Queued], [await StateAsync(both.Id), await StateAsync(later.Id)]);
        await ledger.ReportAsync(ledger.Failure(wipe.Id));
        Assert.Equal([OperationState.Dispatched, OperationState.Queued], [await StateAsync(both.Id), await StateAsync(later.Id)]);
        await ledger.ReportAsync(ledger.Failure(both.Id));
        Assert.Equal(OperationState.Dispatched, await StateAsync(later.Id));
    }

    [Fact]
    public async Task A_thousand_volumes_go_at_once()
    {
        var names = Enumerable.Range(0, DeleteVolumes.Limit).Select(i => $"v{i:0000}").ToArray();
        var (name, pool) = await PoolAsync(names);
        var delete = await ledger.AcceptAsync(new DeleteVolumes(null, name, names));
        Assert.Equal((Resources.Pool(pool), OperationState.Dispatched), (delete.Resource, delete.State));
        StorageEvent[] told = [.. names.Select(volume => ledger.Event(new VolumeDeleted(pool, volume), Resources.Volume(pool, volume), delete.Id))];
        foreach (var part in told.Chunk(100))
            await ledger.ReportAsync(part);
        // What comes twice, and late, changes nothing.
        await ledger.ReportAsync([.. told.Take(100), ledger.Success(delete.Id)]);
        await ledger.ReportAsync(told[^100..]);
        Assert.Equal(OperationState.Succeeded, await StateAsync(delete.Id));
        Assert.Equal(0, await ledger.QueryAsync(db => db.Volumes.CountAsync(row => row.PoolId == pool && !row.Removed)));
        Assert.Equal(names.Length, await ledger.QueryAsync(db => db.Events.CountAsync(row => row.CommandId == delete.Id && row.Type == nameof(VolumeDeleted))));
        Assert.Equal(0, await ledger.QueryAsync(db => db.Claims.CountAsync(row => row.OperationId == delete.Id)));
    }

    [Fact]
    public async Task A_volume_goes_with_those_that_are_built_on_it_and_not_without()
    {
        var (name, pool) = await PoolAsync("plain", "base");
        var (other, otherPool) = await PoolAsync();
        await SeenAsync(name, pool, "middle", $"/srv/{name}/base");
        await SeenAsync(name, pool, "top", "middle");
        var error = await ledger.RefusedAsync(new DeleteVolumes(null, name, ["plain", "base", "middle"]));
        Assert.Equal(
            (ErrorCodes.InUse, "volumes[2]", $"Volume 'middle' is the backing store of 'top' in pool '{name}'."), (error.Code, error.Field, error.Message));
        await SeenAsync(other, otherPool, "elsewhere", $"/srv/{name}/base");
        error = await ledger.RefusedAsync(new DeleteVolumes(null, name, ["top", "base", "middle"]));
        Assert.Equal(
            ("volumes[1]", $"Volume 'base' is the backing store of 'elsewhere' in pool '{other}'."), (error.Field, error.Message));
        await ledger.AcceptAsync(new DeleteVolumes(null, name, ["plain", "base", "middle"], Force: true));
        await ledger.ReportAsync(ledger.Event(new VolumeVanished(otherPool, "elsewhere"), Resources.Volume(otherPool, "elsewhere")));
        var last = await ledger.AcceptAsync(new DeleteVolumes(null, name, ["top", "base", "middle"]));
        Assert.Equal(OperationState.Queued, last.State);
    }

    [Fact]
    public async Task A_pool_whose_directory_has_two_names_has_its_volumes_once()
    {
        var name = Guid.NewGuid().ToString("N");
        var (pool, alias) = (await RunningAsync(name, $"/real/{name}"), await RunningAsync(name + "-2", $"/real/{name}"));
        foreach (var (at, id) in new[] { (name, pool), (name + "-2", alias) })
        {
            await SeenAsync(at, id, "base", null);
            await SeenAsync(at, id, "overlay", $"/real/{name}/base");
        }
        Assert.Equal("volumes[0]", (await ledger.RefusedAsync(new DeleteVolumes(null, name, ["base"]))).Field);
        await ledger.AcceptAsync(new DeleteVolumes(null, name, ["base", "overlay"]));
    }

    private async Task<OperationState> StateAsync(Guid operation) => (await ledger.OperationAsync(operation)).State;

    private async Task<Guid> RunningAsync(string name, string? directory = null)
    {
        await ledger.AnnounceAsync();
        return await ledger.RunningPoolAsync(name, directory);
    }

    private async Task<(string Name, Guid Id)> PoolAsync(params string[] volumes)
    {
        var name = Guid.NewGuid().ToString("N");
        var pool = await RunningAsync(name);
        await ledger.ReportAsync([.. volumes.Select(volume => Seen(name, pool, volume, null))]);
        return (name, pool);
    }

    private Task SeenAsync(string pool, Guid id, string volume, string? backing) => ledger.ReportAsync(Seen(pool, id, volume, backing));

    private StorageEvent Seen(string pool, Guid id, string volume, string? backing) => ledger.Event(
        new VolumeAppeared(id, LedgerFixture.Raw(volume) with
        {
            Path = $"/srv/{pool}/{volume}",
            BackingStore = backing is null ? null : new BackingStore(backing, "raw"),
        }),
        Resources.Volume(id, volume));
}
