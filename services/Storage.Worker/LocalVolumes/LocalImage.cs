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

    /// <summary>Opens a volume to be read, where it lies in or below the directory of its pool once all links are followed.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/> for what lies elsewhere or is no file.
    /// </exception>
    public static LocalImage OpenToRead(LocalDirectory directory, string volume)
    {
        var path = directory.PathOf(volume);
        return Opened(
            LibC.OpenAt(directory.Handle, volume, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0), path,
            (place, _) => LocalDirectory.IsWithin(LocalDirectory.RealPath(place), directory) ? null : $"{path} is not in the pool: it is not opened.");
    }

    /// <summary>Opens the file behind an image to be read, where it lies in one of the places once all links are followed.</summary>
    /// <param name="path">Absolute.</param>
    /// <exception cref="StorageException">As <see cref="OpenToRead"/>.</exception>
    public static LocalImage OpenBacking(string path, BackingPlaces places) => Opened(
        LibC.Open(path, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0), path,
        (place, kind) => places.Allow(place, kind, path) ? null : $"{path} lies neither in a pool of this host nor where its worker allows a backing store: it is not opened.");

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

    /// <param name="place">A handle that is only a place: it opens nothing, and unlike a path it cannot be exchanged after it was looked at.</param>
    /// <param name="refused">Why what is there is not opened.</param>
    private static LocalImage Opened(SafeFileHandle place, string path, Func<SafeFileHandle, FileKind, string?> refused)
    {
        using (place)
        {
            if (place.IsInvalid)
                throw HostErrors.Last is HostErrors.NotFound or HostErrors.NotDirectory ? Missing(path) : HostErrors.FromLast($"open {path}");
            if (LibC.Status(place, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
                throw HostErrors.FromLast($"look at {path}");
            CheckRegular(status, path);
            if (refused(place, status.Kind) is { } why)
                throw new StorageException(new StorageError(ErrorCodes.Unsupported, why, Resource: path));
            return Opened(LibC.Open(LocalDirectory.ProcPath(place), OpenFlags.ReadOnly | Quietly, 0), path);
        }
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
