using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The backing store that a new volume is to have.</summary>
internal static class BackingFile
{
    private const string Field = "backingStore.path";

    /// <summary>
    /// Refuses a backing store that is no file or device that can be read, or lies where none may be. Its header is read only where the new
    /// volume takes its capacity from there; nothing that the header names is opened.
    /// </summary>
    /// <param name="directory">Where a relative path begins: the directory of the new volume.</param>
    /// <param name="wanted">The new volume's capacity in bytes; null or 0 is the backing store's.</param>
    /// <returns>The new volume's capacity in bytes.</returns>
    public static long CheckedCapacity(LocalDirectory directory, BackingStore backing, long? wanted, BackingPlaces places)
    {
        var colon = backing.Path.IndexOf(':');
        var slash = backing.Path.IndexOf('/');
        if (backing.Path.Length == 0 || backing.Path.Any(char.IsControl) || colon >= 0 && (slash < 0 || colon < slash))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A backing store is the path of a file or device on the host.", Field);
        // A handle that is only a place: it opens nothing, and unlike a path it cannot be exchanged after it was looked at.
        using var place = LibC.OpenAt(directory.Handle, backing.Path, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0);
        if (place.IsInvalid
            || LibC.Status(place, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0
            || LibC.Access(LocalDirectory.ProcPath(place), LibC.ReadPermission) < 0)
            throw HostErrors.FromLast($"read the backing store {backing.Path}", Field);
        if (status.Kind is not (FileKind.Regular or FileKind.BlockDevice))
            throw new StorageException(ErrorCodes.InvalidDefinition, $"The backing store {backing.Path} is neither a file nor a block device.", Field);
        if (!places.With(directory).Allow(place, status.Kind, Path.Combine(directory.Path, backing.Path)))
            throw new StorageException(
                ErrorCodes.Unsupported, $"The backing store {backing.Path} lies neither in a pool of this host nor where its worker allows one.", Field);
        if (backing.Format is { } format && (format is "dir" or Ploop.Format || !PoolTypes.FileFormats.Contains(format)))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A backing store cannot have the format '{format}'.", "backingStore.format");
        return wanted is > 0 and var capacity ? capacity : Capacity(place, backing);
    }

    private static long Capacity(SafeFileHandle place, BackingStore backing)
    {
        using var file = LibC.Open(
            LocalDirectory.ProcPath(place), OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoTerminal | OpenFlags.CloseOnExec, 0);
        var size = file.IsInvalid ? -1 : LibC.Seek(file, 0, LibC.SeekEnd);
        if (size < 0)
            throw HostErrors.FromLast($"read the backing store {backing.Path}", Field);
        if (backing.Format is null or "raw" or "iso")
            return size;
        var header = LocalVolumeReader.ReadHeader(file, size) ?? throw HostErrors.FromLast($"read the backing store {backing.Path}", Field);
        return header is { Capacity: { } capacity, Problem: null } && header.Format == backing.Format
            ? capacity
            : throw new StorageException(
                ErrorCodes.InvalidDefinition,
                $"The backing store {backing.Path} says no capacity as {backing.Format}: it is {header.Format}. {header.Problem}".TrimEnd(), Field);
    }
}
