using System.Diagnostics;

namespace Storage.IntegrationTests;

/// <summary>A file system of a few MiB that can be filled and made read-only. Needs root.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <summary>Null where nothing can be mounted.</summary>
    public static async Task<SmallDisk?> TryMountAsync(string path)
    {
        Directory.CreateDirectory(path);
        return await MountAsync("-t", "tmpfs", "-o", "size=24m", "tmpfs", path) ? new SmallDisk(path) : null;
    }

    /// <summary>Takes all room but <paramref name="left"/> bytes.</summary>
    public void Fill(int left)
    {
        using var file = File.Create(Filler);
        var room = new DriveInfo(Path).AvailableFreeSpace - left;
        var block = new byte[64 << 10];
        try
        {
            for (; room > 0; room -= block.Length)
                file.Write(block);
        }
        catch (IOException)
        {
            // Others write too: it is full.
        }
    }

    public void Free() => File.Delete(Filler);

    public Task<bool> SetReadOnlyAsync(bool readOnly) => MountAsync("-o", readOnly ? "remount,ro" : "remount,rw", Path);

    public async ValueTask DisposeAsync()
    {
        using var unmount = Process.Start("umount", ["--lazy", Path]);
        await unmount.WaitForExitAsync();
    }

    private static async Task<bool> MountAsync(params string[] arguments)
    {
        using var mount = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
        await mount.WaitForExitAsync();
        return mount.ExitCode == 0;
    }
}
