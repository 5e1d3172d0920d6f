using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// Makes partitions. Where one goes is journalled before it is made: whatever is there afterwards is this run's own, to be adopted by the
/// resumed run and removed by one that fails. A new partition begins without the signatures of what lay there before.
/// </summary>
public sealed partial class PartitionMaker(Parted parted, DeviceSignatures signatures, ILogger<PartitionMaker> logger)
{
    private readonly DiskLocks locks = new();

    /// <param name="device">The disk.</param>
    /// <param name="volume">With a capacity, and the name that the partition is going to have, or none.</param>
    /// <param name="fill">Is told the partition's device, and gives it its content.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidDefinition"/>: another name comes next. As <see cref="PartitionPlace.Find"/>.
    /// </exception>
    /// <returns>The number of the partition.</returns>
    public async Task<int> MakeAsync(string device, string disk, VolumeDefinition volume, Run run, Func<string, Task>? fill, CancellationToken cancellationToken)
    {
        PartitionPlace place;
        using (await locks.TakeAsync(disk, cancellationToken))
        {
            var table = await RequireAsync(device, cancellationToken);
            place = run is { Resumed: true, Plan: { } plan }
                ? JsonSerializer.Deserialize<PartitionPlace>(plan, StorageJson.Options)!
                : Choose(table, disk, volume);
            run.Plan = JsonSerializer.Serialize(place, StorageJson.Options);
            await run.BeginAsync(cancellationToken);
            try
            {
                await AddAsync(device, table, place, volume.Format!, cancellationToken);
                await RequireNodeAsync(device, disk, place, volume.Permissions, cancellationToken);
            }
            catch when (!run.CutOff)
            {
                await UndoAsync(device, place);
                throw;
            }
        }
        try
        {
            if (fill is not null)
                await fill(PartitionNode.Find(disk, place.Number)!);
        }
        catch when (!run.CutOff)
        {
            using (await locks.TakeAsync(disk, CancellationToken.None))
                await UndoAsync(device, place);
            throw;
        }
        return place.Number;
    }

    /// <summary>Changes a table of a disk that has one, while nobody else does.</summary>
    public async Task ChangeAsync(string device, string disk, Func<PartitionTable, Task> change, CancellationToken cancellationToken)
    {
        using (await locks.TakeAsync(disk, cancellationToken))
            await change(await RequireAsync(device, cancellationToken));
    }

    /// <summary>The table, read while nobody changes it: parted opens the partitions that it reads, and the kernel lets go of none that is open.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.ProbeFailed"/>: there is none.</exception>
    public async Task<PartitionTable> ReadAsync(string device, string disk, CancellationToken cancellationToken)
    {
        using (await locks.TakeAsync(disk, cancellationToken))
            return await RequireAsync(device, cancellationToken);
    }

    private async Task<PartitionTable> RequireAsync(string device, CancellationToken cancellationToken)
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

    private async Task AddAsync(string device, PartitionTable table, PartitionPlace place, string format, CancellationToken cancellationToken)
    {
        if (Find(table, place) is null)
        {
            if (!table.Free.Any(free => free.Start <= place.Start && free.End >= place.End))
                throw new StorageException(ErrorCodes.NoSpace, "Somebody else took the place of the partition meanwhile.", "capacity");
            await parted.AddAsync(device, place.Kind, PartitionType.FileSystemOf(format), place.Start, place.End, cancellationToken);
            table = await RequireAsync(device, cancellationToken);
        }
        var made = Find(table, place) ?? throw new StorageException(new StorageError(
            ErrorCodes.ToolFailed, $"{Parted.Tool} ended well, and {device} has no partition from {place.Start} to {place.End}.", Resource: device, Tool: Parted.Tool));
        if (PartitionType.FlagOf(format) is { } flag && !made.Flags.Contains(flag))
            await parted.SetFlagAsync(device, made.Number, flag, cancellationToken);
    }

    private async Task RequireNodeAsync(string device, string disk, PartitionPlace place, Permissions? permissions, CancellationToken cancellationToken)
    {
        var node = PartitionNode.Find(disk, place.Number) is { } found && File.Exists(found) ? found : throw new StorageException(new StorageError(
            ErrorCodes.HostFailure, $"The kernel has no device of the new partition {place.Number} of {device}.", Resource: device));
        if (place.Kind is not PartitionKind.Extended)
            await signatures.EraseAsync(node, cancellationToken);
        if (permissions is not null)
            BlockVolume.SetPermissions(node, permissions);
    }

    /// <summary>Removes what was made at a place. What the run failed with is what the client is told.</summary>
    private async Task UndoAsync(string device, PartitionPlace place)
    {
        try
        {
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
