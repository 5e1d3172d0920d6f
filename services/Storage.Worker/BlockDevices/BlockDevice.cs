using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A block device of the host, open: what is looked at and changed is this one device, whatever its name comes to mean.</summary>
internal sealed class BlockDevice : IDisposable
{
    /// <summary>Small enough to be cancelled and to show progress.</summary>
    private const long Step = 64L << 20;

    private const int Quietly = OpenFlags.NonBlocking | OpenFlags.CloseOnExec;

    private BlockDevice(string path, SafeFileHandle file, in FileStatus status)
    {
        (Path, File, Status) = (path, file, status);
        Size = LibC.Seek(file, 0, LibC.SeekEnd) is >= 0 and var size ? size : throw HostErrors.FromLast($"measure {path}");
    }

    /// <summary>As it was named.</summary>
    public string Path { get; }

    public SafeFileHandle File { get; }

    public FileStatus Status { get; }

    /// <summary>In bytes.</summary>
    public long Size { get; }

    /// <summary>The path by which another process opens this very device, as long as it is open here.</summary>
    public string ToolPath => $"/proc/{Environment.ProcessId}/fd/{File.DangerousGetHandle()}";

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/>: it is no block device. <see cref="ErrorCodes.HostFailure"/>.
    /// </exception>
    public static BlockDevice OpenToRead(string path) => Open(path, OpenFlags.ReadOnly);

    /// <summary>To be written to, and by nobody else: the kernel gives a device that is mounted, swap or part of another one to nobody so (O_EXCL, open(2)).</summary>
    /// <exception cref="StorageException">As <see cref="OpenToRead"/>; <see cref="ErrorCodes.InUse"/>.</exception>
    public static BlockDevice OpenToChange(string path) => Open(path, OpenFlags.ReadWrite | OpenFlags.Exclusive);

    /// <summary>Has the kernel write zeros (BLKZEROOUT: by a command of the device where it has one), and waits until they are on it.</summary>
    public void WriteZeros(long offset, long length, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Command(LibC.ZeroRange, offset, length, progress, cancellationToken);

    /// <summary>Gives all blocks back (BLKDISCARD). What is read there afterwards, the device says.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/>; nothing is changed then.</exception>
    public void Discard(IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Command(LibC.DiscardRange, 0, Size, progress, cancellationToken);

    public void Dispose() => File.Dispose();

    private unsafe void Command(nuint command, long offset, long length, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var range = stackalloc long[2];
        for (long done = 0; done < length; done += range[1])
        {
            cancellationToken.ThrowIfCancellationRequested();
            (range[0], range[1]) = (offset + done, Math.Min(Step, length - done));
            if (LibC.Control(File, command, range) < 0)
                throw HostErrors.Last is HostErrors.NotSupported or HostErrors.NotTerminal && command == LibC.DiscardRange
                    ? new StorageException(new StorageError(ErrorCodes.Unsupported, $"{Path} cannot discard blocks.", "algorithm", Resource: Path))
                    : HostErrors.FromLast($"overwrite {Path}");
            progress.Report(new OperationProgress(100.0 * (done + range[1]) / length, done + range[1], length));
        }
        new FileFlush(File, Path).Flush();
    }

    private static BlockDevice Open(string path, int flags)
    {
        // Before it is opened: opening a tape or a terminal can have an effect.
        using (var place = LibC.Open(path, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0))
            RequireDevice(place, path);
        var file = LibC.Open(path, flags | Quietly, 0);
        if (file.IsInvalid)
            throw HostErrors.Last switch
            {
                HostErrors.Busy => BlockUse.InUse(path, " by the kernel"),
                HostErrors.NotFound or HostErrors.NoSuchDevice or HostErrors.NoSuchAddress => Missing(path),
                var errno => HostErrors.From(errno, $"open {path}"),
            };
        try
        {
            return new BlockDevice(path, file, RequireDevice(file, path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static FileStatus RequireDevice(SafeFileHandle place, string path)
    {
        if (place.IsInvalid || LibC.Status(place, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            throw HostErrors.Last is HostErrors.NotFound or HostErrors.NotDirectory ? Missing(path) : HostErrors.FromLast($"look at {path}");
        return status.Kind == FileKind.BlockDevice
            ? status
            : throw new StorageException(new StorageError(ErrorCodes.Unsupported, $"{path} is no block device.", Resource: path));
    }

    private static StorageException Missing(string path) =>
        new(new StorageError(ErrorCodes.VolumeNotFound, $"{path} is not there.", Resource: path));
}
