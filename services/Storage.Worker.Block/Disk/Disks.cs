using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>Locks and reads the disks of pools.</summary>
public sealed class Disks(Parted parted, DeviceSignatures signatures)
{
    /// <summary>The part of a definition that names the disk.</summary>
    public const string Field = "source.devices[0].path";

    /// <summary>The format of a disk that is a physical volume of LVM: libvirt knows it, and nothing can be done with its partitions.</summary>
    public const string OfVolumeGroups = "lvm2";

    private readonly DiskLocks locks = new();

    /// <summary>Keeps all others from a disk, whatever is on it, until that is disposed.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/>: the disk is not there; <see cref="ErrorCodes.InUse"/>: others keep it locked.</exception>
    public Task<IDisposable> LockAsync(string device, CancellationToken cancellationToken) =>
        locks.TakeAsync(device, PartitionNode.DiskOf(device, Field), cancellationToken);

    /// <exception cref="StorageException">
    /// As <see cref="LockAsync"/>; <see cref="ErrorCodes.ProbeFailed"/>: it has no table, or another one.
    /// </exception>
    public async Task<PartitionedDisk> OpenAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        var device = DeviceOf(pool);
        var held = await LockAsync(device, cancellationToken);
        try
        {
            var table = await ReadAsync(device, cancellationToken);
            return IsWanted(pool, table) ? new PartitionedDisk(device, PartitionNode.DiskOf(device, Field), table, held) : throw new StorageException(new StorageError(
                ErrorCodes.ProbeFailed, $"{device} has a {table.Label} label, and not one of {LabelOf(pool)}.", "source.format", Resource: device));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The table of a disk that is locked.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.ProbeFailed"/>: there is none.</exception>
    public async Task<PartitionTable> ReadAsync(string device, CancellationToken cancellationToken)
    {
        if (await parted.ReadAsync(device, cancellationToken) is { } table)
            return table;
        throw new StorageException(new StorageError(
            ErrorCodes.ProbeFailed,
            (await signatures.ReadAsync(device, cancellationToken)).Contains(VolumeGroupMembers.Signature)
                ? $"{device} has no partition table: it is a physical volume of LVM2."
                : $"{device} has no partition table: its pool is to be built.",
            Resource: device));
    }

    public async Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        using var disk = await OpenAsync(pool, cancellationToken);
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
