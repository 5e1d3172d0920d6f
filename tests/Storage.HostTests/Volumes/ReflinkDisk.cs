using Microsoft.Extensions.Logging.Abstractions;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>A file system of a few hundred MiB in a file, mounted at a directory.</summary>
internal sealed class ReflinkDisk : IAsyncDisposable
{
    private static readonly CliWrapToolRunner Tools = new(NullLogger<CliWrapToolRunner>.Instance);

    private readonly string path;
    private readonly string image = Path.GetTempFileName();

    private ReflinkDisk(string path) => this.path = path;

    /// <summary>Skips the test where the host cannot make or mount one.</summary>
    public static async Task<ReflinkDisk> MountAsync(string fileSystem, string path, CancellationToken cancellationToken)
    {
        Requires.Root();
        var disk = new ReflinkDisk(path);
        await using (var file = File.OpenWrite(disk.image))
            file.SetLength(400 << 20);
        await Tools.RunAsync(new HostCommand(Requires.Tool($"mkfs.{fileSystem}"), disk.image), cancellationToken);
        try
        {
            await Tools.RunAsync(new HostCommand(Requires.Tool("mount"), "-o", "loop", disk.image, path), cancellationToken);
        }
        catch (Storage.Contracts.StorageException e)
        {
            File.Delete(disk.image);
            throw Requires.Missing($"{fileSystem} cannot be mounted here: {e.Error.Stderr}");
        }
        return disk;
    }

    public async ValueTask DisposeAsync()
    {
        await Tools.RunAsync(new HostCommand("umount", path), CancellationToken.None);
        File.Delete(image);
    }
}
