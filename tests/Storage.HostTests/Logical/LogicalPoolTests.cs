using Storage.Contracts;
using Xunit;
using static Storage.HostTests.VolumeGroupUnderTest;

namespace Storage.HostTests;

/// <summary>Volume groups as pools: build, start, stop, delete, and what happens to their devices.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LogicalPoolTests : IAsyncLifetime
{
    private HostUnderTest host = null!;
    private VolumeGroupUnderTest group = null!;

    public async ValueTask InitializeAsync()
    {
        host = await LabHost.RunningAsync();
        group = new VolumeGroupUnderTest(host);
    }

    [Fact]
    public async Task A_group_is_not_stopped_while_a_volume_is_mounted_and_it_is_said_where()
    {
        await group.StartAsync();
        var found = group.Told<PoolSourcesFound>(await group.DoneAsync(new FindPoolSources(null, PoolType.Logical))).Sources.Single(source => source.Name == Name);
        Assert.Equal(group.Devices, found.Devices.Select(device => device.Path));
        await group.CreateAsync(Volume("used", 40 * MiB));
        await group.CreateAsync(Volume("idle", 8 * MiB));
        var at = group.Folder + "/at";
        host.Shell($"mkfs.ext4 -q {Path("used")}; mkdir {at}; mount {Path("used")} {at}");
        var refused = await group.FailedAsync(new StopPool(null, Name));
        Assert.Equal(ErrorCodes.InUse, refused.Code);
        Assert.Contains(at, refused.Message, StringComparison.Ordinal);
        Assert.True(host.Exists(Path("idle")));
        foreach (var force in new[] { false, true })
            Assert.Equal(ErrorCodes.InUse, (await group.FailedAsync(new DeleteVolume(null, Name, "used", Force: force))).Code);
        Assert.Equal(ErrorCodes.InUse, (await group.FailedAsync(new WipeVolume(null, Name, "used"))).Code);
        host.Shell($"umount {at}");
        await group.DoneAsync(new StopPool(null, Name));
    }

    [Fact]
    public async Task A_device_with_something_on_it_is_taken_only_when_that_is_said_and_one_of_another_group_never()
    {
        host.Shell($"mkfs.ext4 -q {group.Devices[1]}");
        var refused = await group.FailedAsync(new BuildPool(null, Name));
        Assert.Equal((ErrorCodes.PoolBuilt, "source.devices[1].path"), (refused.Code, refused.Field));
        Assert.DoesNotContain("LVM2", host.Shell($"wipefs --noheadings {group.Devices[0]}"), StringComparison.Ordinal);
        await group.DoneAsync(new BuildPool(null, Name, Overwrite: true));
        // It is not active, and so held by nobody.
        var other = VolumeGroupUnderTest.Of("others", group.Devices);
        var disk = PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "disk",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(group.Devices[0])], Format = "gpt" },
            Target = new PoolTarget { Path = "/dev" },
        });
        foreach (var pool in new[] { other, disk })
        {
            var used = await group.FailedAsync(new BuildPool(null, pool.Name!, Overwrite: true), pool: pool);
            Assert.Equal(ErrorCodes.InvalidState, used.Code);
            Assert.Contains($"'{Name}'", used.Message, StringComparison.Ordinal);
        }
        var wider = VolumeGroupUnderTest.Of(Name, group.Devices[0]);
        Assert.Equal(ErrorCodes.PoolBuilt, (await group.FailedAsync(new BuildPool(null, Name), pool: wider)).Code);
        await group.DoneAsync(new StartPool(null, Name));
    }

    [Fact]
    public async Task A_build_that_fails_half_way_leaves_the_devices_blank()
    {
        // There is something where the volumes' devices would be.
        host.Shell($"touch /dev/{Name}");
        try
        {
            Assert.Equal(ErrorCodes.ToolFailed, (await group.FailedAsync(new BuildPool(null, Name))).Code);
        }
        finally
        {
            host.Shell($"rm /dev/{Name}");
        }
        Assert.Equal("", host.Shell($"wipefs --noheadings {string.Join(' ', group.Devices)}"));
        await group.DoneAsync(new BuildPool(null, Name));
    }

    [Fact]
    public async Task Without_one_of_its_devices_a_group_is_degraded_with_what_is_left_or_not_started()
    {
        await group.StartAsync();
        await group.CreateAsync(Volume("both", 16 * MiB, new VolumeLayout(LayoutKind.Raid1)));
        await group.CreateAsync(Volume("over", 16 * MiB, new VolumeLayout(LayoutKind.Striped)));
        await group.DoneAsync(new StopPool(null, Name));
        host.Shell($"losetup --detach {group.Devices[1]}; udevadm settle || true");
        var started = group.Told<PoolStarted>(await group.DoneAsync(new StartPool(null, Name))).Observation;
        Assert.Equal(PoolState.Degraded, started.State);
        Assert.Contains("1 is missing", started.Problem, StringComparison.Ordinal);
        var seen = (await group.RefreshAsync()).ToDictionary(volume => volume.Name);
        Assert.Contains("missing", seen["both"].Problem, StringComparison.Ordinal);
        Assert.True(host.Exists(Path("both")));
        Assert.False(host.Exists(Path("over")));
        Assert.Equal(ErrorCodes.InvalidState, (await group.FailedAsync(new DeletePool(null, Name))).Code);
        await group.DoneAsync(new StopPool(null, Name));
        host.Shell($"losetup --detach {group.Devices[0]}; udevadm settle || true");
        var gone = await group.FailedAsync(new StartPool(null, Name));
        Assert.Equal((ErrorCodes.HostFailure, true), (gone.Code, gone.Retryable));
        // What is not found is not gone.
        foreach (var command in new ICommand[] { new DeleteVolume(null, Name, "both"), new DeletePool(null, Name) })
            Assert.Equal(ErrorCodes.HostFailure, (await group.FailedAsync(command)).Code);
    }

    [Fact]
    public async Task Of_two_groups_of_one_name_none_is_started()
    {
        await group.StartAsync();
        await group.DoneAsync(new StopPool(null, Name));
        using var twin = new VolumeGroupUnderTest(host, devices: 1);
        host.Shell($"lvm vgcreate --devices {twin.Devices[0]} --yes {Name} {twin.Devices[0]} >&2");
        var refused = await group.FailedAsync(new StartPool(null, Name));
        Assert.Equal((ErrorCodes.InvalidState, "source.name"), (refused.Code, refused.Field));
        Assert.Contains(twin.Devices[0], refused.Message, StringComparison.Ordinal);
        host.Shell($"lvm vgremove --devices {twin.Devices[0]} --yes {Name} >&2");
        await group.DoneAsync(new StartPool(null, Name));
    }

    public ValueTask DisposeAsync()
    {
        group.Dispose();
        return ValueTask.CompletedTask;
    }
}
