using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The backing store that a new volume is to have.</summary>
internal static class BackingFile
{
    private const string Field = "backingStore.path";

    /// <summary>
    /// Refuses a backing store that is no file or device that can be read. Its header is read only where the new volume takes its
    /// capacity from there; nothing that the header names is opened.
    /// </summary>
    /// <param name="wanted">The new volume's capacity in bytes; null or 0 is the backing store's.</param>
    /// <returns>The new volume's capacity in bytes.</returns>
    public static long CheckedCapacity(LocalDirectory directory, BackingStore backing, long? wanted)
    {
        var colon = backing.Path.IndexOf(':');
        var slash = backing.Path.IndexOf('/');
        if (backing.Path.Length == 0 || backing.Path.Any(char.IsControl) || colon >= 0 && (slash < 0 || colon < slash))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A backing store is the path of a file or device on the host.", Field);
        if (LibC.Status(directory.Handle, backing.Path, 0, LibC.BasicStatusAndBirth, out var status) < 0
            || LibC.AccessAt(directory.Handle, backing.Path, LibC.ReadPermission, 0) < 0)
            throw HostErrors.FromLast($"read the backing store {backing.Path}", Field);
        if (status.Kind is not (FileKind.Regular or FileKind.BlockDevice))
            throw new StorageException(ErrorCodes.InvalidDefinition, $"The backing store {backing.Path} is neither a file nor a block device.", Field);
        if (backing.Format is { } format && (format is "dir" or Ploop.Format || !PoolTypes.FileFormats.Contains(format)))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A backing store cannot have the format '{format}'.", "backingStore.format");
        return wanted is > 0 and var capacity ? capacity : Capacity(directory, backing);
    }

    private static long Capacity(LocalDirectory directory, BackingStore backing)
    {
        using var file = LibC.OpenAt(
            directory.Handle, backing.Path, OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoTerminal | OpenFlags.CloseOnExec, 0);
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
