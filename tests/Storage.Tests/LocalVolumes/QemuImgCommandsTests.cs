using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

public sealed class QemuImgCommandsTests
{
    public static TheoryData<string, VolumeDefinition, string> Creates() => new()
    {
        { "plain", Volume("qcow2", 1 << 20), "create -f qcow2 -o compat=1.1 /p/v 1024K" },
        { "size rounded up", Volume("vmdk", 1025), "create -f vmdk /p/v 2K" },
        {
            "backing store", Volume("qcow2", 1 << 20) with { BackingStore = new BackingStore("/p/a,b", "raw") },
            "create -f qcow2 -b /p/a,b -o backing_fmt=raw,compat=1.1 /p/v 1024K"
        },
        {
            "size of the backing store", Volume("qcow2", 0) with { BackingStore = new BackingStore("/p/base", "qcow2") },
            "create -f qcow2 -b /p/base -o backing_fmt=qcow2,compat=1.1 /p/v"
        },
        {
            "old, with clusters", Volume("qcow2", 1 << 20) with { Compat = "0.10", ClusterSize = 131072, NoCow = true },
            "create -f qcow2 -o nocow=on,compat=0.10,cluster_size=131072 /p/v 1024K"
        },
        {
            "features", Volume("qcow2", 1 << 20) with { Features = ["lazy_refcounts", "extended_l2"] },
            "create -f qcow2 -o compat=1.1,lazy_refcounts,extended_l2=on /p/v 1024K"
        },
    };

    [Theory]
    [MemberData(nameof(Creates))]
    public void An_image_is_created_with_exactly_these_arguments(string what, VolumeDefinition volume, string arguments) =>
        Assert.Equal((what, arguments), (what, string.Join(' ', QemuImgCommands.Create("qemu-img", "/p/v", volume).Arguments)));

    public static TheoryData<VolumeDefinition, string> Refusals() => new()
    {
        { Volume("vmdk", 1) with { Compat = "1.1" }, "compat" },
        { Volume("vmdk", 1) with { Features = [] }, "features" },
        { Volume("vdi", 1) with { ClusterSize = 65536 }, "clusterSize" },
        { Volume("qcow2", 1) with { Compat = "2.0" }, "compat" },
        { Volume("qcow2", 1) with { Compat = "0.10", Features = ["lazy_refcounts"] }, "features" },
        { Volume("qcow2", 1) with { Capacity = null }, "capacity" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_a_format_does_not_have_is_refused_with_the_field(VolumeDefinition volume, string field) =>
        Assert.Equal(field, Assert.Throws<StorageException>(() => QemuImgCommands.Create("qemu-img", "/p/v", volume)).Error.Field);

    private static VolumeDefinition Volume(string format, long capacity) => new() { Name = "v", Format = format, Capacity = capacity };
}
