using Storage.Contracts;
using Storage.Worker.Block;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeGroupTests
{
    private static readonly PoolDefinition Pool = PoolRules.Complete(new PoolDefinition { Type = PoolType.Logical, Name = "storage", Uuid = Guid.NewGuid() });

    [Fact]
    public void A_group_is_read_with_its_volumes_as_every_recorded_LVM_prints_it() => Assert.All(Recording.Of("lvm", "report"), said =>
    {
        var group = Assert.Single(VolumeGroup.Parse(said.Output));
        Assert.Equal(("storage", 1065353216L, 4194304L, 0), (group.Name, group.Size, group.ExtentSize, group.Missing));
        Assert.Equal(["linear", "mirrored", "off", "snap", "striped", "thin", "thinpool", "thinsnap"], group.Visible.Select(volume => volume.Name));
        var seen = group.Visible.ToDictionary(volume => volume.Name, volume => LogicalVolumeView.Of(Pool, group, volume with { IsActive = false }));
        Assert.Equal(
            [LayoutKind.Linear, LayoutKind.Raid1, LayoutKind.Linear, LayoutKind.Snapshot, LayoutKind.Striped, LayoutKind.Thin, LayoutKind.ThinPool, LayoutKind.Snapshot],
            seen.Values.Select(volume => volume.Layout!.Kind!.Value));
        Assert.Equal((16 << 20, 8 << 20, "/dev/storage/linear"), (seen["snap"].Capacity, seen["snap"].Allocation, seen["snap"].BackingStore!.Path));
        Assert.Equal(("thinpool", 256L << 20, "/dev/storage/thin"), (seen["thinsnap"].Layout!.ThinPool, seen["thinsnap"].Capacity, seen["thinsnap"].BackingStore!.Path));
        Assert.Equal((2, 65536L, 2), (seen["striped"].Layout!.Stripes, seen["striped"].Layout!.StripeSize, seen["striped"].Extents!.Select(extent => extent.Device).Distinct().Count()));
        Assert.Equal(1, seen["mirrored"].Layout!.Mirrors);
        Assert.Equal([16L << 20, 16L << 20], seen["mirrored"].Extents!.Select(extent => extent.End - extent.Start));
        Assert.Equal(64L << 20, Assert.Single(seen["thinpool"].Extents!) is var extent ? extent.End - extent.Start : 0);
        Assert.Empty(seen["thin"].Extents!);
        Assert.InRange(group.Find("thin")!.DataPercent!.Value, 1, 2);
        Assert.True(group.Find("linear")!.IsActive);
        Assert.False(group.Find("off")!.IsActive);
        Assert.All(group.Visible, volume => Assert.False(volume.IsPartial || volume.IsFailed || volume.IsMerging));
    });

    [Fact]
    public void What_is_on_a_device_that_is_missing_is_told() => Assert.All(Recording.Of("lvm", "without-a-device"), said =>
    {
        var group = Assert.Single(VolumeGroup.Parse(said.Output));
        Assert.Equal(1, group.Missing);
        Assert.Equal([false, true], group.Devices.Select(device => device.IsMissing));
        Assert.True(group.Find("striped")!.IsPartial);
        Assert.True(group.Find("mirrored")!.IsPartial);
        Assert.Contains("missing", LogicalVolumeView.Of(Pool, group, group.Find("striped")! with { IsActive = false }).Problem, StringComparison.Ordinal);
    });

    [Fact]
    public void A_group_without_the_device_mapper_is_read_too() => Assert.All(Recording.Of("lvm", "metadata"), said =>
        Assert.Equal([("one", 12L << 20, 2), ("two", 16L << 20, 1)], Assert.Single(VolumeGroup.Parse(said.Output)).Visible.Select(volume => (volume.Name, volume.Size, volume.Segments.Count))));

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"report": [{"vg": [{"vg_name": "a"}]}]}""")]
    [InlineData("""{"report": [{"vg": [{"vg_name": "a", "vg_uuid": "u", "vg_size": "1.00g", "vg_free": "0", "vg_extent_size": "4", "vg_missing_pv_count": "0"}], "pv": [], "lv": [], "seg": []}]}""")]
    public void What_is_no_report_is_a_failure_of_the_tool(string json) =>
        Assert.Equal(ErrorCodes.ToolFailed, Assert.Throws<StorageException>(() => VolumeGroup.Parse(json)).Error.Code);

    [Theory]
    [InlineData("  LVM version:     2.03.16(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n", "2.3.16")]
    [InlineData("  LVM version:     2.03.31(2) (2025-02-27)\n", "2.3.31")]
    [InlineData("lvm: not found", null)]
    public void The_version_is_read(string printed, string? version) => Assert.Equal(version, Lvm.ParseVersion(printed)?.ToString());

    public static TheoryData<VolumeDefinition, string> Made { get; } = new()
    {
        { new VolumeDefinition { Name = "v", Capacity = 1000 }, "--wipesignatures y --type linear --size 1024b storage" },
        { new VolumeDefinition { Name = "v", Capacity = 1 << 20, Layout = new VolumeLayout(LayoutKind.Striped, 2, 65536) }, "--wipesignatures y --type striped --size 1048576b --stripes 2 --stripesize 65536b storage" },
        { new VolumeDefinition { Name = "v", Capacity = 1 << 20, Layout = new VolumeLayout(Mirrors: 1) }, "--wipesignatures y --type raid1 --size 1048576b --mirrors 1 storage" },
        { new VolumeDefinition { Name = "v", Capacity = 1 << 20, Layout = new VolumeLayout(LayoutKind.Raid10) }, "--wipesignatures y --type raid10 --size 1048576b --stripes 2 --mirrors 1 storage" },
        { new VolumeDefinition { Name = "v", Capacity = 1 << 20, Layout = new VolumeLayout(LayoutKind.ThinPool) }, "--type thin-pool --size 1048576b storage" },
        { new VolumeDefinition { Name = "v", Capacity = 1L << 40, Allocation = 0 }, "--type thin --virtualsize 1099511627776b --thinpool thinpool storage" },
        { new VolumeDefinition { Name = "v", BackingStore = new BackingStore("/dev/storage/linear") }, "--type snapshot --extents 100%ORIGIN storage/linear" },
        { new VolumeDefinition { Name = "v", Allocation = 1 << 20, BackingStore = new BackingStore("linear") }, "--type snapshot --size 1048576b storage/linear" },
        { new VolumeDefinition { Name = "v", BackingStore = new BackingStore("/dev/storage/thin") }, "--snapshot storage/thin" },
    };

    [Theory]
    [MemberData(nameof(Made))]
    public void A_volume_is_asked_for_as_lvcreate_takes_it(VolumeDefinition volume, string words) => Assert.All(Groups(), group => Assert.Equal(
        $"--yes --setactivationskip n --name v --addtag t {words}", string.Join(' ', NewLogicalVolume.Words(Pool, group, Completed(volume), ["t"]))));

    public static TheoryData<VolumeDefinition, string, string> Refused { get; } = new()
    {
        { new VolumeDefinition { Name = "v", Capacity = 0 }, ErrorCodes.InvalidDefinition, "capacity" },
        { new VolumeDefinition { Name = "v", Capacity = 1L << 40 }, ErrorCodes.NoSpace, "capacity" },
        { new VolumeDefinition { Name = "v", Capacity = 1L << 40, Layout = new VolumeLayout(LayoutKind.ThinPool) }, ErrorCodes.NoSpace, "capacity" },
        { new VolumeDefinition { Name = "v", Capacity = 1, Layout = new VolumeLayout(ThinPool: "none") }, ErrorCodes.VolumeNotFound, "layout.thinPool" },
        { new VolumeDefinition { Name = "v", BackingStore = new BackingStore("/dev/other/linear") }, ErrorCodes.UnsupportedConfiguration, "backingStore.path" },
        { new VolumeDefinition { Name = "v", BackingStore = new BackingStore("/dev/storage/none") }, ErrorCodes.VolumeNotFound, "backingStore.path" },
        { new VolumeDefinition { Name = "v", BackingStore = new BackingStore("/dev/storage/snap") }, ErrorCodes.UnsupportedConfiguration, "backingStore.path" },
        { new VolumeDefinition { Name = "v", BackingStore = new BackingStore("/dev/storage/thinpool") }, ErrorCodes.UnsupportedConfiguration, "backingStore.path" },
        { new VolumeDefinition { Name = "v", Capacity = 64 << 20, BackingStore = new BackingStore("/dev/storage/linear") }, ErrorCodes.UnsupportedConfiguration, "capacity" },
        { new VolumeDefinition { Name = "v", Layout = new VolumeLayout(ThinPool: "thinpool", Kind: LayoutKind.Snapshot), BackingStore = new BackingStore("linear") }, ErrorCodes.UnsupportedConfiguration, "layout.thinPool" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_the_group_cannot_make_is_refused_with_its_field(VolumeDefinition volume, string code, string field) => Assert.All(Groups(), group =>
    {
        var error = Assert.Throws<StorageException>(() => NewLogicalVolume.Words(Pool, group, Completed(volume), [])).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
    });

    [Fact]
    public void Of_several_thin_pools_one_is_to_be_said() => Assert.All(Groups(), group =>
    {
        var twice = group with { Volumes = [.. group.Volumes, group.Find("thinpool")! with { Name = "second" }] };
        var sparse = Completed(new VolumeDefinition { Name = "v", Capacity = 1 << 20, Allocation = 0 });
        Assert.Equal("layout.thinPool", Assert.Throws<StorageException>(() => NewLogicalVolume.Words(Pool, twice, sparse, [])).Error.Field);
    });

    private static VolumeDefinition Completed(VolumeDefinition volume) => VolumeRules.Complete(PoolTypes.Of(PoolType.Logical), volume);

    private static IEnumerable<VolumeGroup> Groups() => Recording.Of("lvm", "report").Select(said => Assert.Single(VolumeGroup.Parse(said.Output)));
}
