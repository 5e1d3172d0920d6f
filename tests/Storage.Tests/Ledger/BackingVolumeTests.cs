using System.Globalization;
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

    [Theory]
    [InlineData("/srv/{0}/base")]
    [InlineData("/real/{0}/base")]
    [InlineData("../{0}/base")]
    public async Task It_stays_by_whatever_name_of_its_directory_they_know_it(string backing)
    {
        var name = Guid.NewGuid().ToString("N");
        var pool = await RunningAsync(name, $"/real/{name}");
        var (other, otherName) = (await RunningAsync(name + "-2", $"/real/{name}-2"), name + "-2");
        await SeenAsync(name, pool, "base", null);
        await SeenAsync(otherName, other, "overlay", string.Format(CultureInfo.InvariantCulture, backing, name));
        Assert.Equal($"Volume 'base' is the backing store of 'overlay' in pool '{otherName}'.", (await ledger.RefusedAsync(new DeleteVolume(null, name, "base"))).Message);
    }

    [Theory]
    [InlineData("/srv/{0}/base")]
    [InlineData("/real/{0}/base")]
    public async Task It_is_not_deleted_while_another_one_is_being_built_on_it_by_any_of_its_names(string backing)
    {
        var name = Guid.NewGuid().ToString("N");
        await SeenAsync(name, await RunningAsync(name, $"/real/{name}"), "base", null);
        await RunningAsync(name + "-2", $"/real/{name}-2");
        await ledger.AcceptAsync(new CreateVolume(null, name + "-2", Overlay("overlay", string.Format(CultureInfo.InvariantCulture, backing, name))));
        Assert.Equal(OperationState.Queued, (await ledger.OperationAsync((await ledger.AcceptAsync(new DeleteVolume(null, name, "base"))).Id)).State);
    }

    [Fact]
    public async Task A_file_of_a_server_stays_under_those_that_are_built_on_it_on_other_hosts()
    {
        var name = Guid.NewGuid().ToString("N");
        foreach (var (host, export) in new[] { ("host-a", "/export"), ("host-b", "/export"), ("host-c", "/other") })
        {
            var pool = await NetfsAsync(name, host, export);
            await SeenAsync(name, pool, "base", null);
            if (host != "host-a")
                await SeenAsync(name, pool, $"overlay-{host}", "base");
        }
        var error = await ledger.RefusedAsync(new DeleteVolume(null, name, "base", Host: "host-a"));
        Assert.Equal((ErrorCodes.InUse, $"Volume 'base' is the backing store of 'overlay-host-b' in pool '{name}' on host host-b."), (error.Code, error.Message));
    }

    [Theory]
    [InlineData("/etc/passwd", false)]
    [InlineData("/golden-not/base", false)]
    [InlineData("/srv/{0}-2", false)]
    [InlineData("inside", true)]
    [InlineData("/srv/{0}-2/base", true)]
    [InlineData("/real/{0}-2/base", true)]
    [InlineData("/golden/base", true)]
    [InlineData("/dev/golden", true)]
    public async Task A_backing_store_is_named_in_a_pool_of_the_host_or_where_its_worker_allows_one(string backing, bool allowed)
    {
        ledger.BackingStores = ["/golden", "/dev/golden"];
        var name = Guid.NewGuid().ToString("N");
        await RunningAsync(name);
        await RunningAsync(name + "-2", $"/real/{name}-2");
        var overlay = Overlay("overlay", string.Format(CultureInfo.InvariantCulture, backing, name));
        if (allowed)
        {
            await ledger.AcceptAsync(new CreateVolume(null, name, overlay));
            return;
        }
        var error = await ledger.RefusedAsync(new CreateVolume(null, name, overlay));
        Assert.Equal((ErrorCodes.Unsupported, "volume.backingStore.path"), (error.Code, error.Field));
        Assert.Equal("volumes[1].backingStore.path", (await ledger.RefusedAsync(new CreateVolumes(null, name, [LedgerFixture.Raw("plain"), overlay]))).Field);
    }

    [Fact]
    public async Task Where_a_worker_does_not_say_what_it_allows_it_judges_alone()
    {
        ledger.BackingStores = null;
        var name = Guid.NewGuid().ToString("N");
        await RunningAsync(name);
        await ledger.AcceptAsync(new CreateVolume(null, name, Overlay("overlay", "/golden/base")));
        ledger.BackingStores = [];
    }

    [Fact]
    public async Task The_directories_of_all_pools_of_its_host_go_with_what_may_open_a_backing_store()
    {
        var name = Guid.NewGuid().ToString("N");
        var pool = await RunningAsync(name, $"/real/{name}");
        await RunningAsync(name + "-2");
        foreach (var volume in new[] { "grown", "gone" })
            await SeenAsync(name, pool, volume, null);
        foreach (var (command, told) in new (ICommand, bool)[]
        {
            (new CreateVolume(null, name, LedgerFixture.Raw("plain")), false),
            (new DeleteVolume(null, name, "gone"), false),
            (new CreateVolume(null, name, Overlay("overlay", "grown")), true),
            (new CreateVolumes(null, name, [LedgerFixture.Raw("one"), Overlay("two", "grown")]), true),
        })
        {
            var id = (await ledger.AcceptAsync(command)).Id;
            await ledger.HeardAsync(ledger.Runs.Select(run => run.OperationId), id);
            var directories = ledger.Runs.First(run => run.OperationId == id).PoolDirectories;
            Assert.Equal(told, directories is not null);
            if (told)
                Assert.Equal([$"/real/{name}", $"/srv/{name}-2"], directories!.Where(path => path.Contains(name, StringComparison.Ordinal)).Order());
        }
    }

    private async Task<Guid> RunningAsync(string name, string? directory = null)
    {
        ledger.Operations = ["Build", "Delete", "CreateVolume", "DeleteVolume", "WipeVolume", "ResizeVolume"];
        await ledger.AnnounceAsync();
        return await ledger.RunningPoolAsync(name, directory);
    }

    private async Task<Guid> NetfsAsync(string name, string host, string export)
    {
        var announcement = new WorkerAnnouncement(host, PoolFamily.File, Guid.NewGuid(), "1", DateTimeOffset.UnixEpoch,
            [new PoolTypeSupport(PoolType.Netfs, true, null, ["DeleteVolume"], [], [])]);
        await ledger.ReportAsync(ledger.Event(new WorkerAnnounced(announcement), Resources.Worker(host, PoolFamily.File)));
        var define = await ledger.AcceptAsync(new DefinePool(null, new PoolDefinition
        {
            Type = PoolType.Netfs,
            Name = name,
            Source = new PoolSource { Hosts = [new SourceHost("server")], Dir = export, Format = "nfs" },
            Target = new PoolTarget { Path = $"/srv/{name}" },
        }, Host: host));
        var start = await ledger.AcceptAsync(new StartPool(null, name, Host: host));
        await ledger.ReportAsync(
            ledger.Event(new PoolStarted(define.PoolId!.Value, new PoolObservation(PoolState.Running, 1, 0, 1)), Resources.Pool(define.PoolId.Value), start.Id), ledger.Success(start.Id));
        return define.PoolId.Value;
    }

    private async Task<(string Name, Guid Id)> PoolAsync(params string[] volumes)
    {
        var name = Guid.NewGuid().ToString("N");
        var pool = await RunningAsync(name);
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
