using Microsoft.Win32.SafeHandles;
using Storage.Contracts;
using Storage.Contracts.Images;

namespace Storage.Worker;

/// <summary>A file of a pool, open: what is looked at, changed and handed to tools is this one file, whatever its name comes to mean.</summary>
internal sealed class LocalImage : IDisposable
{
    private const int StatusBlock = 512;
    private const int Quietly = OpenFlags.NonBlocking | OpenFlags.NoTerminal | OpenFlags.CloseOnExec;

    private LocalImage(string path, SafeFileHandle file, in FileStatus status) => (Path, File, Status) = (path, file, status);

    /// <summary>As it was named.</summary>
    public string Path { get; }

    public SafeFileHandle File { get; }

    public FileStatus Status { get; }

    /// <summary>Bytes of its blocks.</summary>
    public long Allocation => (long)Status.Blocks * StatusBlock;

    /// <summary>The path by which another process opens this very file, as long as it is open here.</summary>
    public string ToolPath => $"/proc/{Environment.ProcessId}/fd/{File.DangerousGetHandle()}";

    /// <summary>Opens a volume to be written to. Only a regular file: a link leads elsewhere, a directory has no bytes.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/> for anything but a file.
    /// </exception>
    public static LocalImage OpenToChange(LocalDirectory directory, string volume)
    {
        CheckName(volume);
        var path = directory.PathOf(volume);
        if (LibC.Status(directory.Handle, volume, LibC.NoFollow, LibC.BasicStatusAndBirth, out var status) < 0)
            throw HostErrors.Last == HostErrors.NotFound ? Missing(directory, volume) : HostErrors.FromLast($"look at {path}");
        // Before it is opened: opening a device or a FIFO can have an effect.
        CheckRegular(status, path);
        return Opened(LibC.OpenAt(directory.Handle, volume, OpenFlags.ReadWrite | OpenFlags.NoFollow | Quietly, 0), path);
    }

    /// <summary>Opens a file to be read, where it lies in or below one of the directories once all links are followed.</summary>
    /// <param name="name">Relative to the first directory, or absolute.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/> for what lies elsewhere or is no file.
    /// </exception>
    public static LocalImage OpenToRead(string name, params IReadOnlyList<LocalDirectory> within)
    {
        var path = name.StartsWith('/') ? name : within[0].PathOf(name);
        // A handle that is only a place: it opens nothing, and unlike a path it cannot be exchanged after it was looked at.
        using var place = LibC.OpenAt(within[0].Handle, name, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0);
        if (place.IsInvalid)
            throw HostErrors.Last is HostErrors.NotFound or HostErrors.NotDirectory ? Missing(path) : HostErrors.FromLast($"open {path}");
        if (LibC.Status(place, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            throw HostErrors.FromLast($"look at {path}");
        CheckRegular(status, path);
        var real = LocalDirectory.RealPath(place);
        if (!within.Any(directory => LocalDirectory.IsWithin(real, directory)))
            throw new StorageException(new StorageError(ErrorCodes.Unsupported, $"{path} is not in the pool: it is not opened.", Resource: path));
        return Opened(LibC.Open(LocalDirectory.ProcPath(place), OpenFlags.ReadOnly | Quietly, 0), path);
    }

    /// <summary>What the header says, recognised by its own bytes.</summary>
    public ImageHeader ReadHeader() => LocalVolumeReader.ReadHeader(File, (long)Status.Size) is { } header
        ? header
        : throw HostErrors.FromLast($"read {Path}");

    public void Dispose() => File.Dispose();

    public static StorageException Missing(LocalDirectory directory, string volume) => Missing(directory.PathOf(volume));

    public static void CheckName(string volume)
    {
        if (!VolumeName.IsEntry(volume) || VolumeName.IsTemporary(volume))
            throw new StorageException(ErrorCodes.InvalidArgument, $"'{volume}' cannot be the name of a volume.", "volume");
    }

    private static StorageException Missing(string path) =>
        new(new StorageError(ErrorCodes.VolumeNotFound, $"{path} is not there.", Resource: path));

    private static void CheckRegular(in FileStatus status, string path)
    {
        if (status.Kind != FileKind.Regular)
            throw new StorageException(new StorageError(ErrorCodes.Unsupported, $"{path} is no file.", Resource: path));
    }

    private static LocalImage Opened(SafeFileHandle file, string path)
    {
        if (!file.IsInvalid && LibC.Status(file, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) == 0)
        {
            CheckRegular(status, path);
            return new LocalImage(path, file, status);
        }
        var errno = HostErrors.Last;
        file.Dispose();
        throw HostErrors.From(errno, $"open {path}");
    }
}
