using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;
using Storage.Contracts.Images;

namespace Storage.Worker;

/// <summary>
/// Reads one entry of a directory as a volume. Nothing that the image names is opened. A symbolic link is followed only to files in
/// the same directory or below it: elsewhere a user of the pool could make us open what is not the pool's.
/// </summary>
internal static class LocalVolumeReader
{
    private const int SectorSize = 512;
    private const int Safely = OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoTerminal | OpenFlags.CloseOnExec;

    /// <returns>
    /// Null where the entry is no volume: gone, a FIFO, a socket, a character device, or a link to nothing. What cannot be read is a
    /// volume with a <see cref="VolumeDefinition.Problem"/>.
    /// </returns>
    /// <param name="headers">Where headers are looked for before a file is read; null reads every file.</param>
    public static VolumeDefinition? Read(LocalDirectory directory, string name, FileKind kind = FileKind.Unknown, KnownHeaders? headers = null)
    {
        if (LibC.Status(directory.Handle, name, LibC.NoFollow, LibC.BasicStatusAndBirth, out var status) < 0)
            return HostErrors.Last == HostErrors.NotFound ? null : Unseen(directory, name, HostErrors.Text(HostErrors.Last));
        // The kind is looked at before the file is opened: opening a device or a FIFO can have an effect.
        if (!IsVolume(kind) && kind != FileKind.Unknown || !IsVolume(status.Kind))
            return null;
        if (status.Kind == FileKind.SymbolicLink)
            return ReadLink(directory, name, status);
        if (status.Kind == FileKind.Regular && headers?.Find(status) is { } known)
            return WithHeader(Labelled(Described(directory, name, status), known.Label), known.Header);
        using var file = LibC.OpenAt(directory.Handle, name, Safely | OpenFlags.NoFollow, 0);
        return file.IsInvalid ? Unopened(directory, name, status) : ReadOpened(directory, name, file, headers);
    }

    /// <summary>Reads an entry that is open already.</summary>
    /// <returns>As <see cref="Read(LocalDirectory, string, FileKind, KnownHeaders?)"/>.</returns>
    public static VolumeDefinition? Read(LocalDirectory directory, string name, SafeFileHandle file) => ReadOpened(directory, name, file);

    private static VolumeDefinition? ReadLink(LocalDirectory directory, string name, in FileStatus link)
    {
        // A handle that is only a place: it opens nothing, and unlike a path it cannot be exchanged after it was looked at.
        using var place = LibC.OpenAt(directory.Handle, name, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0);
        if (place.IsInvalid)
            return HostErrors.Last is HostErrors.NotFound or HostErrors.TooManySymbolicLinks ? null : Unopened(directory, name, link);
        if (LibC.Status(place, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            return Unopened(directory, name, link);
        if (!IsVolume(status.Kind))
            return null;
        if (!LocalDirectory.IsWithin(LocalDirectory.RealPath(place), directory))
            return Described(directory, name, link) with
            {
                Capacity = 0,
                Allocation = 0,
                Physical = null,
                Problem = "It is a symbolic link to outside the pool, which is not followed.",
            };
        using var file = LibC.Open(LocalDirectory.ProcPath(place), Safely, 0);
        return file.IsInvalid ? Unopened(directory, name, status) : ReadOpened(directory, name, file);
    }

    private static VolumeDefinition? ReadOpened(LocalDirectory directory, string name, SafeFileHandle file, KnownHeaders? headers = null)
    {
        if (LibC.Status(file, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            return Unseen(directory, name, HostErrors.Text(HostErrors.Last));
        if (!IsVolume(status.Kind))
            return null;
        var label = LocalDirectory.ReadLabel(file);
        var volume = Labelled(Described(directory, name, status), label);
        if (status.Kind == FileKind.Directory)
            return Ploop.Read(file, volume) ?? volume;
        if (status.Kind == FileKind.BlockDevice)
        {
            var size = Math.Max(0, LibC.Seek(file, 0, LibC.SeekEnd));
            volume = volume with { Capacity = size, Allocation = size, Physical = size };
        }
        if (ReadHeader(file, volume.Physical ?? 0, isHole: status is { Kind: FileKind.Regular, Blocks: 0 } && IsHole(file)) is not { } header)
            return volume with { Problem = HostErrors.Text(HostErrors.Last) };
        if (status.Kind == FileKind.Regular)
            headers?.Keep(status, header, label);
        return WithHeader(volume, header);
    }

    /// <param name="isHole">The file is known to hold nothing: it need not be read.</param>
    /// <returns>Null where the file cannot be read: errno says why.</returns>
    public static ImageHeader? ReadHeader(SafeFileHandle file, long size, bool isHole = false)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ImageHeader.ProbeLength);
        try
        {
            // No longer than the file: what is asked for comes with one read, without another that only finds the end.
            var start = buffer.AsSpan(0, (int)Math.Min(size, ImageHeader.ProbeLength));
            var length = start.Length;
            if (isHole)
                start.Clear();
            else
                length = ReadStart(file, start);
            return length < 0 ? null : ImageHeader.Read(buffer.AsSpan(0, length), size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reading a hole has the kernel make pages of zeros, and more ahead: asking whether there is anything takes a tenth of that.</summary>
    private static bool IsHole(SafeFileHandle file) =>
        LibC.Seek(file, 0, LibC.SeekData) < 0 && HostErrors.Last == HostErrors.NoSuchAddress;

    private static VolumeDefinition Labelled(VolumeDefinition volume, string? label) =>
        label is null ? volume : volume with { Permissions = volume.Permissions! with { Label = label } };

    private static VolumeDefinition WithHeader(VolumeDefinition volume, ImageHeader header) => volume with
    {
        Format = header.Format,
        // Where the header does not say, the file's size, which libvirt takes too.
        Capacity = header.Capacity ?? volume.Capacity,
        Compat = header.Compat,
        ClusterSize = header.ClusterSize,
        Features = header.Features,
        BackingStore = header.BackingFile is { } path ? new BackingStore(path, KnownFormat(header.BackingFormat)) : null,
        Encryption = header.Encryption is { } format ? new VolumeEncryption(format) : null,
        Problem = header.Problem,
    };

    /// <summary>QEMU has more format names than there are formats of volumes (<c>host_device</c>, <c>luks</c>): to us they are raw.</summary>
    private static string? KnownFormat(string? format) =>
        format is null || PoolTypes.FileFormats.Contains(format) ? format : "raw";

    private static VolumeDefinition Described(LocalDirectory directory, string name, in FileStatus status)
    {
        var path = directory.PathOf(name);
        var isDirectory = status.Kind == FileKind.Directory;
        var size = isDirectory ? 0 : (long)status.Size;
        return new VolumeDefinition
        {
            Name = name,
            Key = path,
            Path = path,
            Type = status.Kind switch
            {
                FileKind.Directory => VolumeKind.Dir,
                FileKind.BlockDevice => VolumeKind.Block,
                _ => VolumeKind.File,
            },
            Format = isDirectory ? "dir" : "raw",
            Capacity = size,
            Allocation = isDirectory ? 0 : (long)status.Blocks * SectorSize,
            Physical = size,
            Permissions = new Permissions(status.Permissions, status.Owner, status.Group),
            Timestamps = new Timestamps(
                status.Access.Time, status.Modified.Time, status.Changed.Time, status.HasBirth ? status.Birth.Time : null),
        };
    }

    private static VolumeDefinition? Unopened(LocalDirectory directory, string name, in FileStatus status) => HostErrors.Last switch
    {
        HostErrors.NotFound => null,
        var errno => Described(directory, name, status) with { Problem = $"It cannot be read: {HostErrors.Text(errno)}." },
    };

    private static VolumeDefinition Unseen(LocalDirectory directory, string name, string reason) => new()
    {
        Name = name,
        Key = directory.PathOf(name),
        Path = directory.PathOf(name),
        Type = VolumeKind.File,
        Problem = $"It cannot be read: {reason}.",
    };

    private static bool IsVolume(FileKind kind) =>
        kind is FileKind.Regular or FileKind.Directory or FileKind.SymbolicLink or FileKind.BlockDevice;

    private static unsafe int ReadStart(SafeFileHandle file, Span<byte> buffer)
    {
        var total = 0;
        fixed (byte* start = buffer)
        {
            while (total < buffer.Length)
            {
                var read = LibC.Read(file, start + total, (nuint)(buffer.Length - total), total);
                if (read < 0 && HostErrors.Last == HostErrors.Interrupted)
                    continue;
                if (read < 0)
                    return -1;
                if (read == 0)
                    break;
                total += (int)read;
            }
        }
        return total;
    }
}
