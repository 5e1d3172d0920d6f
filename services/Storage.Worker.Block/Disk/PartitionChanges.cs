using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>What is done to partitions that are there.</summary>
public sealed class PartitionChanges(Disks disks, Parted parted, BlockWiper wiper, BlockShrink shrink)
{
    public async Task DeleteAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        if (disk.Find(volume) is not { } partition)
            return;
        RequireRemovable(disk, partition, []);
        await run.BeginAsync(cancellationToken);
        await parted.RemoveAsync(disk.Device, partition.Number, cancellationToken);
    }

    /// <summary>As <see cref="IVolumeDeleter.PlanDeletionAsync"/>: logical partitions from the last one on, the extended one after them.</summary>
    public async Task<IReadOnlyList<string>> PlanDeletionAsync(PoolDefinition pool, VolumeDeletion deletion, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        List<Partition> going = [.. deletion.Volumes.Select(disk.Find).OfType<Partition>()];
        foreach (var partition in going)
        {
            deletion.At = PartitionNode.NameOf(disk.Name, partition.Number);
            RequireRemovable(disk, partition, going);
        }
        return [.. going.OrderBy(partition => partition.Kind is PartitionKind.Extended).ThenByDescending(partition => partition.Number)
            .Select(partition => PartitionNode.NameOf(disk.Name, partition.Number))];
    }

    /// <param name="going">What goes before it.</param>
    private static void RequireRemovable(PartitionedDisk disk, Partition partition, IReadOnlyList<Partition> going)
    {
        var volume = PartitionNode.NameOf(disk.Name, partition.Number);
        List<Partition> staying = [.. disk.Table.Logical.Where(logical => going.All(other => other.Number != logical.Number))];
        if (partition.Kind is PartitionKind.Extended && staying.Count > 0)
            throw Refused(ErrorCodes.InvalidState, volume, $"holds {staying.Count} logical partitions");
        if (staying.FirstOrDefault(logical => partition.Kind is PartitionKind.Logical && logical.Number > partition.Number) is { } after)
            throw Refused(ErrorCodes.InvalidState, volume, $"has logical partitions after it, which would get other names: '{PartitionNode.NameOf(disk.Name, after.Number)}' goes first");
        // Also where it was forced: a table that the kernel does not follow is no deletion.
        if (disk.NodeOf(partition) is { } node && partition.Kind is not PartitionKind.Extended)
            BlockUse.RequireUnused(node);
    }

    /// <summary>Moves its end. It grows where the bytes behind it are free, also while it is used, and is not made smaller than the file system on it.</summary>
    public async Task<VolumeDefinition> ResizeAsync(
        PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        using (var disk = await disks.OpenAsync(pool, cancellationToken))
            await ResizeAsync(disk, disk.Find(volume) ?? throw Disks.Missing(pool, volume), resize, run, cancellationToken);
        return await disks.RequireVolumeAsync(pool, volume, cancellationToken);
    }

    private async Task ResizeAsync(PartitionedDisk disk, Partition partition, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        var table = disk.Table;
        var volume = PartitionNode.NameOf(disk.Name, partition.Number);
        var end = partition.Start + PartitionPlace.Align(Math.Max(1, resize.To), table.SectorSize);
        if (end == partition.End)
            return;
        if (partition.Kind is PartitionKind.Extended && table.Logical.Any(logical => logical.End > end))
            throw Refused(ErrorCodes.InvalidState, volume, "holds logical partitions beyond that");
        if (end > partition.End && !table.Free.Any(free => free.Start <= partition.End && free.End >= end && table.IsForLogical(free) == partition.Kind is PartitionKind.Logical))
            throw new StorageException(ErrorCodes.NoSpace, $"Behind '{volume}' there are no free {end - partition.End} bytes.", "capacity");
        if (end < partition.End && partition.Kind is not PartitionKind.Extended && disk.NodeOf(partition) is { } node)
            await shrink.RequireWithinAsync(node, end - partition.Start, resize.Force, cancellationToken);
        await run.BeginAsync(cancellationToken);
        await parted.ResizeAsync(disk.Device, partition.Number, end, cancellationToken);
    }

    public async Task<VolumeDefinition> WipeAsync(
        PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken)
    {
        using (var held = await HoldAsync(pool, volume, cancellationToken))
            await wiper.WipeAsync(held.Path, algorithm, run, cancellationToken);
        return await disks.RequireVolumeAsync(pool, volume, cancellationToken);
    }

    private async Task<DeviceHold> HoldAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        var partition = disk.Find(volume) ?? throw Disks.Missing(pool, volume);
        if (partition.Kind is PartitionKind.Extended)
            throw Refused(ErrorCodes.Unsupported, volume, "is an extended partition: it has no content of its own");
        return DeviceHold.Open(disk.NodeOf(partition) ?? throw Disks.Missing(pool, volume));
    }

    public async Task RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        if (disk.Find(volume) is { Kind: not PartitionKind.Extended } partition && disk.NodeOf(partition) is { } node)
            BlockUse.RequireUnused(node);
    }

    private static StorageException Refused(string code, string volume, string why) => new(new StorageError(code, $"'{volume}' {why}.", Resource: volume));
}
