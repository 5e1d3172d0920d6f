using Storage.Contracts;
using Xunit;
using static Storage.HostTests.VolumeGroupUnderTest;

namespace Storage.HostTests;

/// <summary>A worker that is killed between two calls of LVM's tools, and started again.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LogicalCrashTests : IAsyncLifetime
{
    private AgentHost host = null!;
    private VolumeGroupUnderTest group = null!;

    public async ValueTask InitializeAsync()
    {
        host = await LabHost.RunningAsync();
        group = new VolumeGroupUnderTest(host);
    }

    /// <summary>The group is looked for, the devices too, what is on each; then each is erased and made LVM's, and the group is made of them.</summary>
    [Theory]
    [InlineData("ToolEnded#6")]
    [InlineData("ToolEnded#9")]
    public async Task A_group_is_made_once(string step)
    {
        await SucceedsAsync(host.RunKilledAtAsync(step, group.Pool, new BuildPool(null, Name)));
        Assert.Equal("2", host.Shell($"lvm vgs --noheadings --options pv_count {Name}").Trim());
        await group.DoneAsync(new StartPool(null, Name));
        await group.DoneAsync(new DeletePool(null, Name));
        Assert.Equal("", host.Shell($"wipefs --noheadings {string.Join(' ', group.Devices)}"));
    }

    [Fact]
    public async Task A_volume_and_a_copy_are_made_once_and_a_merge_ends()
    {
        await group.StartAsync();
        var made = await SucceedsAsync(host.RunKilledAtAsync("ToolEnded#2", group.Pool, new CreateVolume(null, Name, Volume("data", 12 * MiB))));
        Assert.Equal("data", group.Told<VolumeCreated>(made).Volume.Name);
        host.Shell($"dd if=/dev/urandom of={Path("data")} bs=1M count=12 oflag=direct status=none");
        // Made, and not filled yet: nobody sees it.
        var id = await host.KilledAtAsync("ToolEnded#3", group.Pool, new CloneVolume(null, Name, new VolumeDefinition { Name = "copy" }, "data"));
        Assert.Contains("storage_incomplete", host.Shell($"lvm lvs --noheadings --options lv_tags {Name}/copy"), StringComparison.Ordinal);
        Assert.Equal(nameof(OperationSucceeded), (await host.GoesOnAsync(id)).Type);
        host.Shell($"cmp {Path("data")} {Path("copy")}");
        Assert.Equal(["copy", "data"], (await group.RefreshAsync()).Select(volume => volume.Name));

        host.Shell($"lvm lvcreate --yes --name then --type snapshot --extents 100%ORIGIN {Name}/data >&2; dd if=/dev/zero of={Path("data")} bs=1M count=12 oflag=direct status=none");
        var merged = await SucceedsAsync(host.RunKilledAtAsync("ToolEnded#2", group.Pool, new MergeVolume(null, Name, "data", "then")));
        Assert.Equal("then", group.Told<VolumeMerged>(merged).Snapshot);
        host.Shell($"cmp {Path("data")} {Path("copy")}");
    }

    [Fact]
    public async Task A_copy_whose_source_is_gone_when_the_worker_is_back_leaves_no_volume()
    {
        await group.StartAsync();
        host.Shell($"lvm lvcreate --yes --name data --size 8M {Name} >&2");
        var id = await host.KilledAtAsync("ToolEnded#3", group.Pool, new CloneVolume(null, Name, new VolumeDefinition { Name = "copy" }, "data"));
        host.Shell($"lvm lvremove --yes {Name}/data >&2");
        var end = await host.GoesOnAsync(id);
        Assert.Equal((nameof(OperationFailed), ErrorCodes.VolumeNotFound), (end.Type, end.Read<OperationFailed>().Error.Code));
        Assert.Equal("", host.Shell($"lvm lvs --noheadings --options lv_name {Name}"));
    }

    [Fact]
    public async Task A_volume_that_was_made_and_cannot_be_used_when_the_worker_is_back_is_removed()
    {
        await group.StartAsync();
        var id = await host.KilledAtAsync("ToolEnded#2", group.Pool, new CreateVolume(null, Name, Volume("data", 8 * MiB)));
        host.Shell($"lvm lvchange --activate n {Name}/data >&2");
        var end = await host.GoesOnAsync(id);
        Assert.Equal((nameof(OperationFailed), ErrorCodes.HostFailure), (end.Type, end.Read<OperationFailed>().Error.Code));
        Assert.Equal("", host.Shell($"lvm lvs --noheadings --options lv_name {Name}"));
    }

    public ValueTask DisposeAsync()
    {
        group.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<StorageEvent> SucceedsAsync(Task<StorageEvent> ending)
    {
        var end = await ending;
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        return end;
    }
}
