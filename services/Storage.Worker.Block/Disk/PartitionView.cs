using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>The partitions of a disk as volumes of its pool, each found by the name that the pool's target directory has for it, else by the kernel's.</summary>
public sealed class PartitionView(PoolDefinition pool, PartitionedDisk disk)
{
    private readonly DeviceNames identities = DeviceNames.OfIdentity();
    private readonly DeviceNames paths = DeviceNames.In(pool.Target.Path!);

    /// <summary>The key is what the disk says of itself, where it does; libvirt's is the path.</summary>
    public VolumeDefinition Of(Partition partition)
    {
        var name = PartitionNode.NameOf(disk.Name, partition.Number);
        var device = PartitionNode.DeviceOf(name);
        var path = paths.Of(device) ?? device;
        // Not by its path: udev takes lasting names away and gives them again also while the disk is locked.
        var volume = disk.NodeOf(partition) is { } node
            ? BlockVolume.Read(name, node)
            : new VolumeDefinition { Name = name, Type = VolumeKind.Block, Problem = "The kernel has no device of it." };
        // The kernel shows an extended partition as one of a few sectors.
        return volume with
        {
            Path = path,
            Key = identities.Of(device) ?? path,
            Format = PartitionType.Of(partition),
            Capacity = partition.Size,
            Allocation = partition.Kind is PartitionKind.Extended ? disk.Table.Logical.Sum(logical => logical.Size) : partition.Size,
            Physical = partition.Size,
            Extents = [new SourceExtent(disk.Device, partition.Start, partition.End)],
        };
    }
}
