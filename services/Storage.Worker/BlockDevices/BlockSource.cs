using System.Diagnostics;
using System.Globalization;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Opens the device of a volume that is copied. One of another family's pool is found where it was last seen, and only where the kernel says that
/// it is the same one still: names of devices are given again. Sources of fact: sysfs, and the names that udev gives.
/// </summary>
internal static class BlockSource
{
    /// <summary>What the kernel counts sizes and starts of partitions in, whatever the disk has.</summary>
    private const long Sector = 512;

    /// <summary>For how long a partition is gone at most, and then its names, when the kernel reads its table again.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>: it is gone, or another one is in its place. <see cref="ErrorCodes.Unsupported"/>: it is no device.
    /// </exception>
    public static async Task<BlockDevice> OpenAsync(CloneSource source, CancellationToken cancellationToken)
    {
        if (source.Backend is null)
            return await OpenSeenAsync(source, source.Seen, cancellationToken);
        return await source.Backend.ReadVolumeAsync(source.Pool, source.Volume, cancellationToken) switch
        {
            null => throw new StorageException(new StorageError(ErrorCodes.VolumeNotFound, $"There is no volume '{source.Volume}' in pool '{source.Pool.Name}'.")),
            { Type: VolumeKind.Block, Path: { } path } volume => await ReachAsync(volume, path, cancellationToken),
            _ => throw source.Refused(),
        };
    }

    private static async Task<BlockDevice> OpenSeenAsync(CloneSource source, VolumeDefinition? seen, CancellationToken cancellationToken)
    {
        if (seen is not { Type: VolumeKind.Block, Path: ['/', ..] path } || seen.Name != source.Volume)
            throw source.Refused();
        var device = await ReachAsync(seen, path, cancellationToken);
        try
        {
            var begun = Stopwatch.GetTimestamp();
            while (seen.Key is ['/', ..] key && DeviceUse.FindNumber(key) is null && Stopwatch.GetElapsedTime(begun) < Limit)
                await Task.Delay(Pause, cancellationToken);
            return IsSame(device, seen) ? device : throw new StorageException(new StorageError(
                ErrorCodes.VolumeNotFound, $"{path} is not the volume '{source.Volume}' as it was last seen: pool '{source.Pool.Name}' is to be refreshed.", "sourceVolume", Resource: path));
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>One that is missing, and whose disk is there, is waited for. Once it is open, it stays.</summary>
    private static async Task<BlockDevice> ReachAsync(VolumeDefinition volume, string path, CancellationToken cancellationToken)
    {
        var isExpected = volume is { Problem: null, Extents: [var extent] } && DeviceUse.FindNumber(extent.Device) is not null;
        for (var begun = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause, cancellationToken))
        {
            try
            {
                return BlockDevice.OpenToRead(path);
            }
            catch (StorageException e) when (isExpected && e.Error.Code == ErrorCodes.VolumeNotFound && Stopwatch.GetElapsedTime(begun) < Limit)
            {
                // Perhaps its table is just being read.
            }
        }
    }

    private static bool IsSame(BlockDevice device, VolumeDefinition seen)
    {
        var number = device.Status.RawDevice;
        // Without its links: the folder of a partition is in that of its disk.
        if (Directory.ResolveLinkTarget($"/sys/dev/block/{number}", returnFinalTarget: true)?.FullName is not { } folder)
            return false;
        if (device.Size != seen.Capacity)
            return false;
        // A name that is made of what the device says of itself.
        if (seen.Key is ['/', ..] key && DeviceUse.FindNumber(key) != number)
            return false;
        if (Read($"{folder}/start") is { } start)
            return seen.Extents is [var extent]
                && long.Parse(start, CultureInfo.InvariantCulture) * Sector == extent.Start
                && DeviceUse.FindNumber(extent.Device) == Read($"{Path.GetDirectoryName(folder)}/dev");
        // LVM's UUID is the end of the mapping's.
        return Read($"{folder}/dm/uuid") is not { } uuid
            || !uuid.StartsWith("LVM-", StringComparison.Ordinal)
            || seen.Key is { } known && uuid.EndsWith(known.Replace("-", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static string? Read(string file) => File.Exists(file) ? File.ReadAllText(file).Trim() : null;
}
