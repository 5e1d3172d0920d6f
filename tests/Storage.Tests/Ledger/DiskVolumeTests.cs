using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What volumes of disks have for themselves: names that the pool gives, a place on a device, and devices that other families read.</summary>
public sealed class DiskVolumeTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>, IAsyncLifetime
{
    private readonly string name = $"disk-{Guid.NewGuid():N}";
    private Guid pool;

    public async ValueTask InitializeAsync()
    {
        ledger.Operations = ["Build", "Delete", "CreateVolume", "DeleteVolume", "CloneVolume"];
        await ledger.AnnounceAsync();
        await ledger.ReportAsync(ledger.Event(
            new WorkerAnnounced(new WorkerAnnouncement(LedgerFixture.Host, PoolFamily.Block, Guid.NewGuid(), "1", DateTimeOffset.UnixEpoch,
                [new PoolTypeSupport(PoolType.Disk, true, null, ["CreateVolume", "CloneVolume", "DeleteVolume"], [new FormatSupport("none", true)], [])], [])),
            Resources.Worker(LedgerFixture.Host, PoolFamily.Block)));
        var definition = new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = name,
            Source = new PoolSource { Devices = [new SourceDevice($"/dev/{name}")] },
            Target = new PoolTarget { Path = "/dev" },
        };
        pool = (await ledger.AcceptAsync(new DefinePool(null, definition, LedgerFixture.Host))).PoolId!.Value;
        var start = await ledger.AcceptAsync(new StartPool(null, name));
        await ledger.ReportAsync(
            ledger.Event(new PoolStarted(pool, new PoolObservation(PoolState.Running, 1000, 400, 600, FreeExtents: [new FreeExtent(400, 1000)])), Resources.Pool(pool), start.Id),
            ledger.Success(start.Id));
    }

    [Fact]
    public async Task One_without_a_name_has_the_pool_for_itself_and_so_stands_before_what_could_get_the_same_name()
    {
        var create = await ledger.AcceptAsync(new CreateVolume(null, name, new VolumeDefinition { Capacity = 100 }));
        Assert.Equal((Resources.Pool(pool), null), (create.Resource, create.Volume));
        var claim = await ledger.QueryAsync(db => db.Claims.SingleAsync(row => row.OperationId == create.Id));
        Assert.Equal((Resources.Pool(pool), true), (claim.Resource, claim.Exclusive));
        var other = await ledger.AcceptAsync(new CreateVolume(null, name, new VolumeDefinition { Name = "sda1", Capacity = 100 }));
        Assert.Equal(OperationState.Queued, other.State);
        var made = ledger.Event(new VolumeCreated(pool, new VolumeDefinition { Name = "sda1", Capacity = 100 }), Resources.Volume(pool, "sda1"), create.Id);
        await ledger.ReportAsync(made, ledger.Event(
            new OperationSucceeded(create.Id, StorageJson.ToElement(new Dictionary<string, string> { ["volume"] = "sda1" })), Resources.Operation(create.Id), create.Id));
        Assert.Equal("""{"volume":"sda1"}""", (await ledger.OperationAsync(create.Id)).Result);
        // Its turn has come, and the name is taken.
        Assert.Equal(OperationState.Failed, (await ledger.OperationAsync(other.Id)).State);
    }

    [Fact]
    public async Task A_name_is_left_out_only_where_the_pool_gives_one_and_of_one_volume()
    {
        var files = await ledger.RunningPoolAsync($"files-{Guid.NewGuid():N}");
        Assert.Equal("volume.name", (await ledger.RefusedAsync(new CreateVolume(null, files.ToString(), new VolumeDefinition { Capacity = 100 }))).Field);
        Assert.Equal("volume.name", (await ledger.RefusedAsync(new CloneVolume(null, files.ToString(), new VolumeDefinition(), "a"))).Field);
        Assert.Equal("volumes[0].name", (await ledger.RefusedAsync(new CreateVolumes(null, name, [new VolumeDefinition { Capacity = 100 }]))).Field);
        Assert.Equal("name", Assert.Throws<StorageException>(() => VolumeRules.Check(
            PoolTypes.Of(PoolType.Disk), new VolumeDefinition { Capacity = 100 }, VolumePurpose.Describe)).Error.Field);
    }

    [Fact]
    public void A_document_may_leave_it_out_too()
    {
        const string Document = "<volume><capacity unit='MiB'>8</capacity></volume>";
        var (disk, files) = (PoolTypes.Of(PoolType.Disk), PoolTypes.Of(PoolType.Dir));
        Assert.Equal("", VolumeXml.Read(Document, disk, purpose: VolumePurpose.Create).Name);
        Assert.Equal("volume/name", Assert.Throws<StorageException>(() => VolumeXml.Read(Document, disk)).Error.Field);
        Assert.Equal("volume/name", Assert.Throws<StorageException>(() => VolumeXml.Read(Document, files, purpose: VolumePurpose.Create)).Error.Field);
    }

    [Fact]
    public async Task What_is_free_is_kept_as_it_was_last_told_and_forgotten_when_the_pool_stops()
    {
        Assert.Equal("""[{"start":400,"end":1000}]""", await FreeAsync());
        await ledger.ReportAsync(ledger.Event(new PoolSpaceChanged(pool, 1000, 500, 500, [new FreeExtent(500, 1000)]), Resources.Pool(pool)));
        Assert.Equal("""[{"start":500,"end":1000}]""", await FreeAsync());
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool)));
        Assert.Null(await FreeAsync());
    }

    [Fact]
    public async Task Who_copies_one_into_another_pool_is_told_what_was_last_seen_of_it()
    {
        var files = await ledger.RunningPoolAsync($"copies-{Guid.NewGuid():N}");
        var seen = new VolumeDefinition { Name = "sda1", Type = VolumeKind.Block, Path = "/dev/sda1", Capacity = 100 };
        await ledger.ReportAsync(ledger.Event(new VolumesObserved(pool, null, null, [seen]), Resources.Pool(pool)));
        var clone = await ledger.AcceptAsync(new CloneVolume(null, files.ToString(), new VolumeDefinition { Name = "copy" }, "sda1", name));
        await ledger.HeardAsync(ledger.Runs.Select(run => run.OperationId), clone.Id);
        var run = ledger.Runs.Last(run => run.OperationId == clone.Id);
        Assert.Equal((pool, "/dev/sda1", 100), (run.SourcePool!.Uuid!.Value, run.SourceVolume!.Path, run.SourceVolume.Capacity!.Value));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<string?> FreeAsync() => ledger.QueryAsync(db => db.Pools.Where(row => row.Id == pool).Select(row => row.FreeExtents).SingleAsync());
}
