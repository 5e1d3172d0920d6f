using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// Makes partitions. Where one goes is journalled before it is made: whatever is there afterwards is this run's own, to be adopted by the
/// resumed run and removed by one that fails. A new partition begins without the signatures of what lay there before.
/// </summary>
public sealed partial class PartitionMaker(Disks disks, Parted parted, DeviceSignatures signatures, ILogger<PartitionMaker> logger)
{
    /// <param name="volume">With a capacity, and the name that the partition is going to have, or none.</param>
    /// <param name="fill">Is told the partition's device, and gives it its content: the disk is not locked for so long.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidDefinition"/>: another name comes next. As <see cref="Disks.OpenAsync"/> and <see cref="PartitionPlace.Find"/>.
    /// </exception>
    public async Task<VolumeDefinition> MakeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, Func<string, Task>? fill, CancellationToken cancellationToken)
    {
        PartitionPlace place;
        string name;
        DeviceHold? held;
        using (var disk = await disks.OpenAsync(pool, cancellationToken))
        {
            place = run is { Resumed: true, Plan: { } plan }
                ? JsonSerializer.Deserialize<PartitionPlace>(plan, StorageJson.Options)!
                : Choose(disk.Table, disk.Name, volume);
            name = PartitionNode.NameOf(disk.Name, place.Number);
            run.Plan = JsonSerializer.Serialize(place, StorageJson.Options);
            await run.BeginAsync(cancellationToken);
            try
            {
                await AddAsync(disk, place, volume.Format!, cancellationToken);
                held = await HoldAsync(disk, place, volume.Permissions, cancellationToken);
            }
            catch when (!run.CutOff)
            {
                await UndoAsync(disk.Device, place, isLocked: true);
                throw;
            }
        }
        try
        {
            using (held)
            {
                if (held is not null)
                    await held.NamedAsync(cancellationToken);
                if (held is not null && fill is not null)
                    await fill(held.Path);
                return await disks.RequireVolumeAsync(pool, name, cancellationToken);
            }
        }
        catch when (!run.CutOff)
        {
            await UndoAsync(Disks.DeviceOf(pool), place, isLocked: false);
            throw;
        }
    }

    private static PartitionPlace Choose(PartitionTable table, string disk, VolumeDefinition volume)
    {
        if (table.Partitions.Any(partition => PartitionNode.NameOf(disk, partition.Number) == volume.Name))
            throw new StorageException(new StorageError(ErrorCodes.VolumeExists, $"There is a partition '{volume.Name}' already.", "name", Resource: volume.Name));
        var place = PartitionPlace.Find(table, volume.Capacity!.Value, volume.Format == "extended", PartitionNode.AlignmentOf(disk));
        var name = PartitionNode.NameOf(disk, place.Number);
        return volume.Name.Length == 0 || volume.Name == name
            ? place
            : throw new StorageException(ErrorCodes.InvalidDefinition, $"The next partition of this disk is '{name}': a partition has no other name.", "name");
    }

    private async Task AddAsync(PartitionedDisk disk, PartitionPlace place, string format, CancellationToken cancellationToken)
    {
        var (device, table) = (disk.Device, disk.Table);
        if (Find(table, place) is null)
        {
            if (!table.Free.Any(free => free.Start <= place.Start && free.End >= place.End))
                throw new StorageException(ErrorCodes.NoSpace, "Somebody else took the place of the partition meanwhile.", "capacity");
            await parted.AddAsync(device, place.Kind, PartitionType.FileSystemOf(format), place.Start, place.End, cancellationToken);
            table = await disks.ReadAsync(device, cancellationToken);
        }
        var made = Find(table, place) ?? throw new StorageException(new StorageError(
            ErrorCodes.ToolFailed, $"{Parted.Tool} ended well, and {device} has no partition from {place.Start} to {place.End}.", Resource: device, Tool: Parted.Tool));
        if (PartitionType.FlagOf(format) is { } flag && !made.Flags.Contains(flag))
            await parted.SetFlagAsync(device, made.Number, flag, cancellationToken);
    }

    /// <returns>Null for an extended one, which has no content, and which the kernel makes anew with partitions in it.</returns>
    private async Task<DeviceHold?> HoldAsync(PartitionedDisk disk, PartitionPlace place, Permissions? permissions, CancellationToken cancellationToken)
    {
        var node = PartitionNode.Find(disk.Name, place.Number) is { } found && File.Exists(found) ? found : throw new StorageException(new StorageError(
            ErrorCodes.HostFailure, $"The kernel has no device of the new partition {place.Number} of {disk.Device}.", Resource: disk.Device));
        if (place.Kind is not PartitionKind.Extended)
            await signatures.EraseAsync(node, cancellationToken);
        if (permissions is not null)
            BlockVolume.SetPermissions(node, permissions);
        return place.Kind is PartitionKind.Extended ? null : DeviceHold.Open(node);
    }

    /// <summary>Removes what was made at a place. What the run failed with is what the client is told.</summary>
    private async Task UndoAsync(string device, PartitionPlace place, bool isLocked)
    {
        try
        {
            using var held = isLocked ? null : await disks.LockAsync(device, CancellationToken.None);
            if (await parted.ReadAsync(device, CancellationToken.None) is { } table && Find(table, place) is { } made)
                await parted.RemoveAsync(device, made.Number, CancellationToken.None);
        }
        catch (StorageException e)
        {
            LeftBehind(device, place.Number, e);
        }
    }

    private static Partition? Find(PartitionTable table, PartitionPlace place) =>
        table.Partitions.FirstOrDefault(partition => partition.Number == place.Number && partition.Start == place.Start && partition.End == place.End);

    [LoggerMessage(2030, LogLevel.Error, "Partition {Number} of {Device} could not be removed after a failed creation")]
    private partial void LeftBehind(string device, int number, Exception cause);
}
