using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class MountTableTests
{
    [Fact]
    public void Every_kind_of_line_is_read() => Assert.Equal(
        [
            new MountEntry("8:1", "/", "ext4", "/dev/sda1"),
            new MountEntry("0:52", "/mnt/with blank", "fuse.glusterfs", "127.0.0.1:/gv0"),
            new MountEntry("0:60", "/mnt/ü", "nfs4", "[fd00::1]:/a\\b"),
            new MountEntry("0:61", "/run", "tmpfs", "tmpfs"),
        ],
        MountTable.Parse("""
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            90 22 0:52 / /mnt/with\040blank rw,nosuid - fuse.glusterfs 127.0.0.1:/gv0 rw,user_id=0
            91 22 0:60 / /mnt/ü rw shared:7 master:2 propagate_from:1 - nfs4 [fd00::1]:/a\134b rw,vers=4.2
            92 22 0:61 / /run rw - tmpfs tmpfs rw
            broken line

            """));

    [Fact]
    public void This_machine_has_a_root_file_system() => Assert.Equal("/", MountTable.At("/")!.Target);

    [Fact]
    public void A_mount_point_is_found_through_links_of_its_parents()
    {
        var folder = Directory.CreateTempSubdirectory("mounts-");
        var link = Path.Combine(folder.FullName, "link");
        File.CreateSymbolicLink(link, Directory.CreateDirectory(Path.Combine(folder.FullName, "real")).FullName);
        Assert.Equal(Path.Combine(folder.FullName, "real", "target"), MountTable.Resolve(Path.Combine(link, "target")));
        folder.Delete(recursive: true);
    }
}
