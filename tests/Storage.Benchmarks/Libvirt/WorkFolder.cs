using System.Diagnostics;

namespace Storage.Benchmarks.Libvirt;

/// <summary>Where the pools lie: on the file system of the temporary folder, and on an XFS of its own where one can be mounted.</summary>
internal sealed class WorkFolder : IDisposable
{
    private const long Size = 8L << 30;
    private readonly string path = Directory.CreateTempSubdirectory("storage-benchmark-").FullName;

    public WorkFolder()
    {
        var image = Path.Combine(path, "xfs.image");
        using (var file = File.Create(image))
            file.SetLength(Size);
        var at = Directory.CreateDirectory(Path.Combine(path, "xfs")).FullName;
        if (Run("mkfs.xfs", "-q", image) && Run("mount", "-o", "loop", image, at))
            Reflink = at;
    }

    /// <summary>A file system whose files can share blocks; null where there is none.</summary>
    public string? Reflink { get; }

    public string Of(IPeer peer, string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(path, peer.Name)).FullName, name);

    public void Dispose()
    {
        if (Reflink is not null)
            Run("umount", "--lazy", Reflink);
        Directory.Delete(path, recursive: true);
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
