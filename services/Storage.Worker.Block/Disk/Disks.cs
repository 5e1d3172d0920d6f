using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>The disk of a pool, and its partition table as it was read.</summary>
/// <param name="Device">As the pool names it.</param>
/// <param name="Name">As the kernel names it.</param>
public sealed record PartitionedDisk(string Device, string Name, PartitionTable Table)
{
    public PoolSpace Space
    {
        get
        {
            var free = Table.Free.Sum(extent => extent.End - extent.Start);
            return new PoolSpace(Table.Size, Table.Size - free, free, Table.Free);
        }
    }

    public Partition? Find(string volume) => Find(Table, volume);

    /// <summary>In the table as it is by now.</summary>
    public Partition? Find(PartitionTable table, string volume) =>
        table.Partitions.FirstOrDefault(partition => PartitionNode.NameOf(Name, partition.Number) == volume);
}

/// <summary>Reads the disks of pools.</summary>
public sealed class Disks(PartitionMaker maker)
{
    /// <summary>The part of a definition that names the disk.</summary>
    public const string Field = "source.devices[0].path";

    /// <summary>The format of a disk that is a physical volume of LVM: libvirt knows it, and nothing can be done with its partitions.</summary>
    public const string OfVolumeGroups = "lvm2";

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.HostFailure"/>: the disk is not there; <see cref="ErrorCodes.ProbeFailed"/>: it has no table, or another one.
    /// </exception>
    public async Task<PartitionedDisk> OpenAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        var device = DeviceOf(pool);
        var disk = PartitionNode.DiskOf(device, Field);
        var table = await maker.ReadAsync(device, disk, cancellationToken);
        return IsWanted(pool, table) ? new PartitionedDisk(device, disk, table) : throw new StorageException(new StorageError(
            ErrorCodes.ProbeFailed, $"{device} has a {table.Label} label, and not one of {LabelOf(pool)}.", "source.format", Resource: device));
    }

    public async Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        var disk = await OpenAsync(pool, cancellationToken);
        return disk.Find(volume) is { } partition ? new PartitionView(pool, disk).Of(partition) : null;
    }

    /// <exception cref="StorageException"><see cref="ErrorCodes.VolumeNotFound"/>. As <see cref="OpenAsync"/>.</exception>
    public async Task<VolumeDefinition> RequireVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        await ReadVolumeAsync(pool, volume, cancellationToken) ?? throw Missing(pool, volume);

    public static string DeviceOf(PoolDefinition pool) => pool.Source.Devices[0].Path is ['/', ..] path
        ? path
        : throw new StorageException(ErrorCodes.InvalidDefinition, "The source device is an absolute path.", Field);

    /// <summary>As libvirt: what is not said is dos where it is to be made, and any where it is there.</summary>
    public static string LabelOf(PoolDefinition pool) => pool.Source.Format is null or "unknown" ? "dos" : pool.Source.Format;

    public static bool IsWanted(PoolDefinition pool, PartitionTable table) => pool.Source.Format is null or "unknown" || table.Label == pool.Source.Format;

    internal static StorageException Missing(PoolDefinition pool, string volume) =>
        new(new StorageError(ErrorCodes.VolumeNotFound, $"There is no volume '{volume}' in pool '{pool.Name}'.", Resource: volume));
}
