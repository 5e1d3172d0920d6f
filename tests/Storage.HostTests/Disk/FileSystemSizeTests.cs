using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>The size of real file systems, as their makers wrote it.</summary>
public sealed class FileSystemSizeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("file-system-size-").FullName;

    [Theory]
    [InlineData("mkfs.ext2 -q -b 1024", "ext")]
    [InlineData("mkfs.ext4 -q -b 4096 -O 64bit", "ext")]
    [InlineData("mkfs.xfs -q", "xfs")]
    [InlineData("mkfs.btrfs -q", "btrfs")]
    public void Is_read_from_the_superblock(string maker, string kind)
    {
        Requires.Tool(maker.Split(' ')[0]);
        const long Size = 320L << 20;
        HostProgram.Run("sh", "-c", $"truncate -s {Size} {folder}/device; {maker} {folder}/device");
        var head = new byte[0x11000];
        using (var file = File.OpenRead($"{folder}/device"))
            file.ReadExactly(head);
        Assert.Equal((kind, Size), FileSystemSize.Parse(head));
        Assert.Null(FileSystemSize.Parse(new byte[0x11000]));
        Assert.Null(FileSystemSize.Parse(head.AsSpan(0, 8)));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
