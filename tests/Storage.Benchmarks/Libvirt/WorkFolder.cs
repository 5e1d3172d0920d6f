using System.Diagnostics;

namespace Storage.Benchmarks.Libvirt;

/// <summary>
/// Where the pools lie: on an ext4 as a host has it, with a journal, and on an XFS; both of their own, where they can be mounted. An ext4 without a
/// journal, as virtual machines for builds have, looks through all inodes that were removed in the last minute before it gives one to a file: work
/// that makes and removes thousands would measure that.
/// </summary>
internal sealed class WorkFolder : IDisposable
{
    private const long Size = 16L << 30;
    private readonly string path = Directory.CreateTempSubdirectory("storage-benchmark-").FullName;
    private readonly List<string> mounted = [];
    private readonly string? usual;

    public WorkFolder()
    {
        usual = Mount("ext4");
        Reflink = Mount("xfs");
    }

    /// <summary>The file system of the pools that need no other one.</summary>
    public string FileSystem => usual is null ? "that of the temporary folder" : "ext4 with a journal, on a loop device";

    /// <summary>A file system whose files can share blocks; null where there is none.</summary>
    public string? Reflink { get; }

    public string Of(IPeer peer, string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(usual ?? path, peer.Name)).FullName, name);

    public void Dispose()
    {
        foreach (var at in mounted)
            Run("umount", "--lazy", at);
        Directory.Delete(path, recursive: true);
    }

    private string? Mount(string type)
    {
        var image = Path.Combine(path, $"{type}.image");
        using (var file = File.Create(image))
            file.SetLength(Size);
        var at = Directory.CreateDirectory(Path.Combine(path, type)).FullName;
        if (!Run($"mkfs.{type}", "-q", image) || !Run("mount", "-o", "loop", image, at))
            return null;
        mounted.Add(at);
        return at;
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
