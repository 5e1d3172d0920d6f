using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Volumes of format ploop (OpenVZ, Virtuozzo): directories with an image, <c>root.hds</c>, and its description, made and resized by ploop(8)
/// where the host has it. They are listed and deleted on every host.
/// </summary>
public sealed class Ploop(IToolRunner tools)
{
    public const string Format = "ploop";

    private const string Image = "root.hds";
    private const string Description = "DiskDescriptor.xml";
    private const string Tool = "ploop";
    private const long MiB = 1 << 20;
    private const int SectorSize = 512;

    /// <summary>Whether volumes of this format can be made here, and why not.</summary>
    public static FormatSupport Support =>
        ToolPath.Find(Tool) is null ? new FormatSupport(Format, false, $"{Tool} is not installed") : new FormatSupport(Format, true);

    /// <summary>The directory as a volume, or null where it is none of this format.</summary>
    /// <param name="directory">Open.</param>
    /// <param name="volume">What it is as a directory.</param>
    internal static VolumeDefinition? Read(SafeFileHandle directory, VolumeDefinition volume)
    {
        using var image = OpenImage(directory);
        if (image is null || LibC.Status(image, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0 || status.Kind != FileKind.Regular)
            return null;
        var header = LocalVolumeReader.ReadHeader(image, (long)status.Size);
        return volume with
        {
            Type = VolumeKind.Ploop,
            Format = Format,
            Capacity = header is { Format: Format, Capacity: { } capacity } ? capacity : 0,
            Allocation = (long)status.Blocks * SectorSize,
            Physical = (long)status.Size,
            Problem = header is { Format: Format } ? header.Problem : $"Its {Image} is no ploop image.",
        };
    }

    /// <summary>Whether an entry of the directory is a volume of this format.</summary>
    internal static bool Is(LocalDirectory directory, string name)
    {
        using var entry = OpenEntry(directory, name);
        using var image = entry is null ? null : OpenImage(entry);
        return image is not null;
    }

    /// <summary>As <see cref="VolumeUse.RequireUnused(LocalDirectory, string)"/>: while it is mounted, the kernel has its image open.</summary>
    internal static void RequireUnused(LocalDirectory directory, string name)
    {
        using var entry = OpenEntry(directory, name);
        using var image = entry is null ? null : OpenImage(entry);
        if (image is not null)
            VolumeUse.RequireUnused(image, directory.PathOf(name));
    }

    /// <summary>Makes the image in an empty directory: with an ext4, as libvirt does, and its capacity rounded up to MiB.</summary>
    /// <exception cref="StorageException">As <see cref="IToolRunner.RunAsync"/>.</exception>
    internal Task InitAsync(string path, VolumeDefinition volume, CancellationToken cancellationToken) =>
        RunAsync(["init", "-s", Size(volume.Capacity!.Value), "-t", "ext4", $"{path}/{Image}"], cancellationToken);

    /// <exception cref="StorageException">As <see cref="IToolRunner.RunAsync"/>.</exception>
    internal Task ResizeAsync(string path, long capacity, CancellationToken cancellationToken) =>
        RunAsync(["resize", "-s", Size(capacity), $"{path}/{Description}"], cancellationToken);

    /// <summary>Refuses what it does not have.</summary>
    /// <exception cref="StorageException">With the field.</exception>
    internal static void Check(VolumeDefinition volume)
    {
        if (!Support.Available)
            throw new StorageException(ErrorCodes.Unavailable, $"A volume of format {Format} cannot be made here: {Support.Reason}.", "format");
        if (volume.Capacity is null)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A volume without a backing store needs a capacity.", "capacity");
        if (volume.BackingStore is not null)
            throw new StorageException(ErrorCodes.Unsupported, $"The format {Format} has no backing store.", "backingStore");
        if (volume.Compat is not null || volume.Features is not null || volume.ClusterSize is not null)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"The format {Format} has no compat, features or cluster size.", "format");
        if (volume.Preallocation is not (null or Preallocation.None))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A volume of format {Format} is not preallocated.", "preallocation");
    }

    private static SafeFileHandle? OpenEntry(LocalDirectory directory, string name) =>
        Opened(LibC.OpenAt(directory.Handle, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec, 0));

    private static SafeFileHandle? OpenImage(SafeFileHandle directory)
    {
        if (LibC.Status(directory, Description, LibC.NoFollow, LibC.BasicStatusAndBirth, out var description) < 0 || description.Kind != FileKind.Regular
            || LibC.Status(directory, Image, LibC.NoFollow, LibC.BasicStatusAndBirth, out var image) < 0 || image.Kind != FileKind.Regular)
            return null;
        return Opened(LibC.OpenAt(directory, Image, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking | OpenFlags.CloseOnExec, 0));
    }

    private static SafeFileHandle? Opened(SafeFileHandle handle)
    {
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        return null;
    }

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / MiB + (bytes % MiB == 0 ? 0 : 1)}M");

    private Task<ToolOutput> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        tools.RunAsync(new HostCommand(Tool, arguments) { Deadline = Timeout.InfiniteTimeSpan }, cancellationToken);
}
