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

    [Fact]
    public void Completing_what_is_complete_changes_nothing()
    {
        foreach (var definition in Definitions())
        {
            var once = PoolRules.Complete(definition);
            Assert.Equal(Json(once), Json(PoolRules.Complete(once)));
            Assert.Equal(Json(once), Json(PoolRules.Complete(PoolXml.Read(PoolXml.Write(once, 0, 0, 0)))));
        }
    }

    [Fact]
    public void Pools_that_would_use_the_same_storage_conflict_and_others_do_not()
    {
        var path = Dir();
        Assert.Equal("target.path", SourceConflict.FindField(path with { Name = "b" }, path));
        Assert.Null(SourceConflict.FindField(path with { Target = new PoolTarget { Path = "/else" } }, path));
        var fs = Completed(PoolType.Fs, new PoolSource { Devices = [new SourceDevice("/dev/sdb1")] });
        var disk = Completed(PoolType.Disk, new PoolSource { Devices = [new SourceDevice("/dev/sda"), new SourceDevice("/dev/sdb1")] });
        Assert.Equal("source.devices[1].path", SourceConflict.FindField(disk, fs));
        var nfs = Completed(PoolType.Netfs, new PoolSource { Hosts = [new SourceHost("nas")], Dir = "/export" });
        Assert.True(SourceConflict.Conflicts(nfs, nfs));
        Assert.False(SourceConflict.Conflicts(nfs with { Source = nfs.Source with { Dir = "/other" } }, nfs));
        var rbd = Completed(PoolType.Rbd, new PoolSource { Name = "rbd", Hosts = [new SourceHost("mon")] });
        Assert.False(SourceConflict.Conflicts(rbd, rbd));
        Assert.True(SourceConflict.Conflicts(Completed(PoolType.Mpath, new PoolSource()), Completed(PoolType.Mpath, new PoolSource())));
    }

    private static IEnumerable<PoolDefinition> Definitions() =>
    [
        Dir(), Completed(PoolType.Fs, new PoolSource { Devices = [new SourceDevice("/dev/sdb1")], Format = "ext4" }),
        Completed(PoolType.Netfs, new PoolSource { Hosts = [new SourceHost("nas")], Dir = "/export", Format = "nfs" }),
        Completed(PoolType.Rbd, new PoolSource { Name = "rbd", Hosts = [new SourceHost("mon", 6789)] }),
    ];

    private static PoolDefinition Dir() => new() { Type = PoolType.Dir, Name = "p", Target = new PoolTarget { Path = "/p" } };

    private static PoolDefinition Completed(PoolType type, PoolSource source) =>
        PoolRules.Complete(new PoolDefinition { Type = type, Name = "p", Source = source, Target = new PoolTarget { Path = "/p" } });

    private static string Json(PoolDefinition definition) => StorageJson.ToElement(definition).GetRawText();

    private static void Refused(string field, PoolDefinition definition) =>
        Assert.Equal(field, Assert.Throws<StorageException>(() => PoolRules.Complete(definition)).Error.Field);
}
