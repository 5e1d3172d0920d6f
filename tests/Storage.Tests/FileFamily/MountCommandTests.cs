using Storage.Contracts;
using Storage.Worker.File;
using Xunit;

namespace Storage.Tests;

/// <summary>What mount and mkfs are called with: libvirt's argument lists.</summary>
public sealed class MountCommandTests
{
    private const string Always = "nodev,nosuid,noexec";

    [Theory]
    [InlineData("auto", "-o nodev,nosuid,noexec filer:/exports/a /mnt/a")]
    [InlineData("nfs", "-o nodev,nosuid,noexec -t nfs filer:/exports/a /mnt/a")]
    [InlineData("glusterfs", "-o nodev,nosuid,noexec,direct-io-mode=1 -t glusterfs filer:/exports/a /mnt/a")]
    [InlineData("cifs", "-o nodev,nosuid,noexec,nobrl,guest -t cifs //filer/exports/a /mnt/a")]
    public void A_network_file_system_is_mounted_as_libvirt_mounts_it(string format, string expected) =>
        Assert.Equal(expected, Arguments(Netfs(format)));

    [Fact]
    public void A_protocol_version_is_asked_of_the_server() => Assert.Equal(
        $"-o {Always},nfsvers=4.1 -t nfs filer:/exports/a /mnt/a",
        Arguments(Netfs("nfs") with { Source = Netfs("nfs").Source with { ProtocolVersion = "4.1" } }));

    [Fact]
    public void Options_of_the_pool_come_last() => Assert.Equal(
        $"-o {Always},sync,lazytime -t nfs filer:/exports/a /mnt/a", Arguments(Netfs("nfs") with { MountOptions = ["sync", "lazytime"] }));

    [Theory]
    [InlineData("nfs", "fd00::1", "[fd00::1]:/exports/a")]
    [InlineData("nfs", "[fd00::1]", "[fd00::1]:/exports/a")]
    [InlineData("glusterfs", "[fd00::1]", "fd00::1:/exports/a")]
    [InlineData("cifs", "fd00::1", "//fd00::1/exports/a")]
    public void An_address_with_colons_is_written_as_the_client_reads_it(string format, string host, string source) =>
        Assert.Equal(source, NetfsProtocol.Of(format).SourceOf(Netfs(format, host)));

    [Theory]
    [InlineData("/mnt/with blank", "/images", "target.path")]
    [InlineData("/mnt/a*", "/images", "target.path")]
    [InlineData("/mnt/a", "/images/b c", "source.dir")]
    [InlineData("/mnt/a", @"/images/b\c", "source.dir")]
    public void What_the_script_of_Gluster_would_take_apart_is_refused_and_given_to_others(string target, string dir, string field)
    {
        var pool = Netfs("glusterfs") with { Target = new PoolTarget { Path = target } };
        pool = pool with { Source = pool.Source with { Dir = dir } };
        var error = Assert.Throws<StorageException>(() => NetfsProtocol.Of("glusterfs").CheckPaths(pool)).Error;
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, field), (error.Code, error.Field));
        Assert.Contains("mount.glusterfs", error.Message, StringComparison.Ordinal);
        NetfsProtocol.Of("nfs").CheckPaths(pool);
    }

    [Fact]
    public void A_device_is_mounted_as_libvirt_mounts_it()
    {
        var pool = new PoolDefinition
        {
            Type = PoolType.Fs,
            Source = new PoolSource { Devices = [new SourceDevice("/dev/sda6")], Format = "ext4" },
            Target = new PoolTarget { Path = "/mnt" },
        };
        Assert.Equal($"-o {Always} -t ext4 /dev/sda6 /mnt", string.Join(' ', MountCommands.Mount(pool, "/dev/sda6", "ext4").Arguments));
    }

    [Theory]
    [InlineData("ext2", "-t ext2 -F /dev/sdb1")]
    [InlineData("ext3", "-t ext3 -F /dev/sdb1")]
    [InlineData("ext4", "-t ext4 -F /dev/sdb1")]
    [InlineData("xfs", "-t xfs -f /dev/sdb1")]
    [InlineData("vfat", "-t vfat -I /dev/sdb1")]
    [InlineData("udf", "-t udf --bootarea=erase /dev/sdb1")]
    [InlineData("ocfs2", "-t ocfs2 -M local /dev/sdb1")]
    [InlineData("gfs2", "-t gfs2 -O -p lock_nolock /dev/sdb1")]
    [InlineData("hfs+", "-t hfsplus /dev/sdb1")]
    public void A_file_system_is_made_without_questions(string format, string expected)
    {
        var command = FileSystemMaker.Command(format, "/dev/sdb1");
        Assert.Equal(("mkfs", expected), (command.Program, string.Join(' ', command.Arguments)));
    }

    [Fact]
    public void A_format_is_looked_for_under_its_programs_name() => Assert.Equal(
        ["mkfs.ext4", "mkfs.hfsplus"], new[] { "ext4", "hfs+" }.Select(FileSystemMaker.ProgramOf));

    [Fact]
    public void Every_format_of_network_file_systems_has_its_protocol() =>
        Assert.Equal(PoolTypes.Of(PoolType.Netfs).SourceFormats, NetfsProtocol.All.Select(protocol => protocol.Format));

    private static string Arguments(PoolDefinition pool) => string.Join(' ', NetfsProtocol.Of(pool.Source.Format!).Mount(pool).Arguments);

    private static PoolDefinition Netfs(string format, string host = "filer") => new()
    {
        Type = PoolType.Netfs,
        Source = new PoolSource { Hosts = [new SourceHost(host)], Dir = "/exports/a", Format = format },
        Target = new PoolTarget { Path = "/mnt/a" },
    };
}
