using System.Diagnostics;

namespace Storage.IntegrationTests;

/// <summary>A file system of a few MiB that can be filled and made read-only. Needs root.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private const int Size = 24 << 20;

    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <summary>An ext4 on a loop device, or memory where there is none. Null where nothing can be mounted.</summary>
    public static async Task<SmallDisk?> TryMountAsync(string path)
    {
        Directory.CreateDirectory(path);
        var image = path + ".img";
        using (var file = File.Create(image))
            file.SetLength(Size);
        var mounted = await RunAsync("mkfs.ext4", "-q", "-m", "0", image) && await RunAsync("mount", "-o", "loop", image, path)
            || await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Size}", "tmpfs", path);
        return mounted ? new SmallDisk(path) : null;
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

    public Task<bool> SetReadOnlyAsync(bool readOnly) => RunAsync("mount", "-o", readOnly ? "remount,ro" : "remount,rw", Path);

    /// <summary>Also where somebody still has a file of it open.</summary>
    public async ValueTask DisposeAsync() => await RunAsync("umount", "--lazy", Path);

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
