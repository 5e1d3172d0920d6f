using Storage.Contracts;
using Xunit;
using static Storage.Contracts.LayoutKind;

namespace Storage.Tests;

public sealed class LayoutRulesTests
{
    private static readonly PoolTypeInfo Logical = PoolTypes.Of(PoolType.Logical);

    [Fact]
    public void What_is_not_said_follows_from_the_rest()
    {
        Assert.Equal(new VolumeLayout(Linear), Completed(null));
        Assert.Equal(new VolumeLayout(Striped, 3), Completed(new VolumeLayout(Stripes: 3)));
        Assert.Equal(new VolumeLayout(Raid1, Mirrors: 2), Completed(new VolumeLayout(Mirrors: 2)));
        Assert.Equal(new VolumeLayout(Thin, ThinPool: "blocks"), Completed(new VolumeLayout(ThinPool: "blocks")));
        Assert.Equal(new VolumeLayout(Thin), Completed(null, allocation: 0));
        Assert.Equal(new VolumeLayout(Snapshot), Completed(null, backing: "/dev/guests/a"));
        Assert.Equal(new VolumeLayout(Raid5, 2), Completed(new VolumeLayout(Raid5)));
        Assert.Equal(new VolumeLayout(Raid10, 4, Mirrors: 1), Completed(new VolumeLayout(Raid10, 4)));
    }

    public static TheoryData<VolumeLayout, string> Wrong { get; } = new()
    {
        { new VolumeLayout(Other), "layout.kind" },
        { new VolumeLayout((LayoutKind)99), "layout.kind" },
        { new VolumeLayout(Snapshot), "backingStore" },
        { new VolumeLayout(Linear, Stripes: 2), "layout.stripes" },
        { new VolumeLayout(Striped, Stripes: 0), "layout.stripes" },
        { new VolumeLayout(Striped, Stripes: 129), "layout.stripes" },
        { new VolumeLayout(Raid5, Stripes: 1), "layout.stripes" },
        { new VolumeLayout(Striped, StripeSize: 5000), "layout.stripeSize" },
        { new VolumeLayout(Raid1, StripeSize: 65536), "layout.stripeSize" },
        { new VolumeLayout(Striped, Mirrors: 1), "layout.mirrors" },
        { new VolumeLayout(Mirror, Mirrors: 10), "layout.mirrors" },
        { new VolumeLayout(Linear, ThinPool: "blocks"), "layout.thinPool" },
        { new VolumeLayout(Thin, ThinPool: "-x"), "layout.thinPool" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_no_volume_group_can_make_is_refused_with_its_field(VolumeLayout layout, string field) =>
        Assert.Equal(field, Assert.Throws<StorageException>(() => Completed(layout)).Error.Field);

    [Fact]
    public void Only_a_snapshot_has_a_backing_store() =>
        Assert.Equal("layout.kind", Assert.Throws<StorageException>(() => Completed(new VolumeLayout(Linear), backing: "/dev/guests/a")).Error.Field);

    [Fact]
    public void Volumes_of_other_pools_have_no_layout() => Assert.Equal("layout", Assert.Throws<StorageException>(() => VolumeRules.Complete(
        PoolTypes.Of(PoolType.Dir), new VolumeDefinition { Name = "a", Capacity = 1, Layout = new VolumeLayout(Linear) })).Error.Field);

    [Fact]
    public void What_was_only_seen_is_left_out() =>
        Assert.Equal(new VolumeLayout(LayoutKind.ThinPool), Completed(new VolumeLayout(LayoutKind.ThinPool, DataPercent: 10, MetadataPercent: 5)));

    [Theory]
    [InlineData("a b")]
    [InlineData("é")]
    [InlineData("snapshot1")]
    [InlineData("pvmove0")]
    [InlineData("x_tmeta")]
    [InlineData("x_rimage_0")]
    public void A_name_that_LVM_does_not_take_or_keeps_for_itself_is_refused(string name) => Assert.Equal("name", Assert.Throws<StorageException>(() =>
        VolumeRules.Complete(Logical, new VolumeDefinition { Name = name, Capacity = 1 })).Error.Field);

    [Fact]
    public void A_pool_whose_name_is_no_group_s_needs_a_source_with_one()
    {
        Assert.Equal("name", Assert.Throws<StorageException>(() => PoolRules.Complete(new PoolDefinition { Type = PoolType.Logical, Name = "my guests" })).Error.Field);
        var pool = PoolRules.Complete(new PoolDefinition { Type = PoolType.Logical, Name = "my guests", Source = new PoolSource { Name = "guests" } });
        Assert.Equal("/dev/guests", pool.Target.Path);
    }

    private static VolumeLayout? Completed(VolumeLayout? layout, long? allocation = null, string? backing = null)
    {
        var input = new VolumeDefinition
        {
            Name = "a",
            Capacity = 1 << 20,
            Allocation = allocation,
            Layout = layout,
            BackingStore = backing is null ? null : new BackingStore(backing),
        };
        var completed = VolumeRules.Complete(Logical, input);
        Assert.Equal(completed.Layout, VolumeRules.Complete(Logical, completed).Layout);
        return completed.Layout;
    }
}
