namespace Storage.Worker.Block;

/// <summary>
/// The disk of a pool, and its partition table as it was read. Until it is disposed the disk is locked: nobody else changes the table, or has the
/// kernel read it again, so its partitions have their devices.
/// </summary>
/// <param name="Device">As the pool names it.</param>
/// <param name="Name">As the kernel names it.</param>
/// <param name="Lock">Its lock.</param>
public sealed record PartitionedDisk(string Device, string Name, PartitionTable Table, IDisposable Lock) : IDisposable
{
    public PoolSpace Space
    {
        get
        {
            var free = Table.Free.Sum(extent => extent.End - extent.Start);
            return new PoolSpace(Table.Size, Table.Size - free, free, Table.Free);
        }
    }

    public Partition? Find(string volume) =>
        Table.Partitions.FirstOrDefault(partition => PartitionNode.NameOf(Name, partition.Number) == volume);

    /// <summary>The device of a partition; null where the kernel has none.</summary>
    public string? NodeOf(Partition partition) => PartitionNode.Find(Name, partition.Number);

    public void Dispose() => Lock.Dispose();
}
