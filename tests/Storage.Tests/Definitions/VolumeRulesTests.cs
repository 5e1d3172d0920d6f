using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeRulesTests
{
    private static readonly PoolTypeInfo Dir = PoolTypes.Of(PoolType.Dir);

    [Fact]
    public void Format_and_allocation_have_libvirts_defaults_and_what_only_a_host_can_say_is_left_out()
    {
        var volume = VolumeRules.Complete(Dir, new VolumeDefinition { Name = "v", Capacity = 4096, Key = "k", Path = "/x", Physical = 1, Problem = "p" });
        Assert.Equal(("raw", 4096L), (volume.Format, volume.Allocation));
        Assert.Equal((null, null, null, null), (volume.Key, volume.Path, volume.Physical, volume.Problem));
        Assert.Equal(4096, VolumeRules.Complete(Dir, new VolumeDefinition { Name = "v", Capacity = 4096, Allocation = 8192 }).Allocation);
    }

    public static TheoryData<string, VolumeDefinition> Refusals() => new()
    {
        { "name", new VolumeDefinition { Name = "a/b", Capacity = 1 } },
        { "name", new VolumeDefinition { Name = "-x", Capacity = 1 } },
        { "name", new VolumeDefinition { Name = new string('é', 128), Capacity = 1 } },
        { "capacity", new VolumeDefinition { Name = "v" } },
        { "capacity", new VolumeDefinition { Name = "v", Capacity = -1 } },
        { "allocation", new VolumeDefinition { Name = "v", Capacity = 1, Allocation = -1 } },
        { "format", new VolumeDefinition { Name = "v", Capacity = 1, Format = "floppy" } },
        { "compat", new VolumeDefinition { Name = "v", Capacity = 1, Format = "qcow2", Compat = "one" } },
        { "permissions.mode", new VolumeDefinition { Name = "v", Capacity = 1, Permissions = new Permissions(0x1000) } },
        { "backingStore.path", new VolumeDefinition { Name = "v", Format = "qcow2", BackingStore = new BackingStore("../../etc/shadow") } },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_volume_is_refused_with_the_field_at_fault(string field, VolumeDefinition volume) =>
        Assert.Equal(field, Assert.Throws<StorageException>(() => VolumeRules.Complete(Dir, volume)).Error.Field);

    [Fact]
    public void A_volume_goes_through_xml_without_loss()
    {
        var volume = VolumeRules.Complete(Dir, new VolumeDefinition
        {
            Name = "a & <b>",
            Capacity = 10L << 30,
            Allocation = 0,
            Format = "qcow2",
            Compat = "1.1",
            Features = ["lazy_refcounts"],
            Permissions = new Permissions(0x1A4, 107, 107, "label"),
            BackingStore = new BackingStore("/base", "raw"),
        });
        var again = VolumeRules.Complete(Dir, VolumeXml.Read(VolumeXml.Write(volume, Dir), Dir));
        Assert.Equal(StorageJson.ToElement(volume).GetRawText(), StorageJson.ToElement(again).GetRawText());
    }
}
