using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class PoolRulesTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    [InlineData("a\u007fb")]
    [InlineData("-rf")]
    public void A_name_is_refused(string? name) => Refused("name", Dir() with { Name = name });

    [Fact]
    public void A_name_with_half_a_character_is_refused() => Refused("name", Dir() with { Name = "a\uD800" });

    [Theory]
    [InlineData(null)]
    [InlineData("relative")]
    [InlineData("/")]
    [InlineData("/a/../b")]
    [InlineData("/a/..")]
    [InlineData("/a\0b")]
    public void A_target_path_is_refused(string? path) => Refused("target.path", Dir() with { Target = new PoolTarget { Path = path } });

    [Theory]
    [InlineData("/a//b/", "/a/b")]
    [InlineData("///a", "/a")]
    [InlineData("/a", "/a")]
    public void A_target_path_is_cleaned_up(string path, string cleaned) =>
        Assert.Equal(cleaned, PoolRules.Complete(Dir() with { Target = new PoolTarget { Path = path } }).Target.Path);

    [Fact]
    public void Names_and_target_paths_come_from_the_source_where_the_type_has_it_so()
    {
        var logical = PoolRules.Complete(new PoolDefinition { Type = PoolType.Logical, Source = new PoolSource { Name = "vg" }, Target = new PoolTarget { Path = "/ignored" } });
        Assert.Equal(("vg", "/dev/vg", "lvm2"), (logical.Name, logical.Target.Path, logical.Source.Format));
        var zfs = PoolRules.Complete(new PoolDefinition { Type = PoolType.Zfs, Name = "tank" });
        Assert.Equal(("tank", "/dev/zvol/tank"), (zfs.Source.Name, zfs.Target.Path));
    }

    [Theory]
    [InlineData(PoolType.Fs, "source.devices")]
    [InlineData(PoolType.Netfs, "source.hosts")]
    [InlineData(PoolType.Disk, "source.devices")]
    [InlineData(PoolType.Iscsi, "source.hosts")]
    [InlineData(PoolType.IscsiDirect, "source.hosts")]
    [InlineData(PoolType.Rbd, "source.name")]
    [InlineData(PoolType.Sheepdog, "source.hosts")]
    [InlineData(PoolType.Gluster, "source.hosts")]
    public void What_a_type_requires_of_its_source_is_asked_for(PoolType type, string field) =>
        Refused(field, new PoolDefinition { Type = type, Name = "p", Target = new PoolTarget { Path = "/p" } });

    private static PoolDefinition Dir() => new() { Type = PoolType.Dir, Name = "p", Target = new PoolTarget { Path = "/p" } };

    private static void Refused(string field, PoolDefinition definition) =>
        Assert.Equal(field, Assert.Throws<StorageException>(() => PoolRules.Complete(definition)).Error.Field);
}
