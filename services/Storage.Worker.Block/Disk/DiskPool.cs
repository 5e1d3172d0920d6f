using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// A disk with a partition table; its partitions are the volumes, and extended ones too. Source of fact: the table on the disk, as parted
/// reads it, and sysfs. There is nothing to stop: a disk with its table is running.
/// </summary>
public sealed class DiskPool(Parted parted, Disks disks, PartitionMaker maker, PartitionChanges changes, DeviceClaim claim, BlockCloner cloner, BlockEncryption encryption,
    QemuImg qemuImg)
    : IPoolBuilder, IPoolActivator, IPoolDeleter, IVolumeCreator, IVolumeCloner, IVolumeDeleter, IVolumeResizer, IVolumeWiper, IVolumeUsers, IPoolSpace
{
    /// <summary>What libblkid calls partition tables; it knows no pc98.</summary>
    private static readonly string[] Tables = ["dos", "gpt", "PMBR", "mac", "sgi", "sun", "bsd"];

    public PoolType Type => PoolType.Disk;

    public async Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken)
    {
        var reason = await parted.ReasonAsync(cancellationToken);
        var formats = PoolTypes.Of(Type).VolumeFormats.Select(format => new FormatSupport(format, true));
        var support = new PoolTypeSupport(Type, true, null, BackendOperations.Of(this), [.. formats], [], [await qemuImg.LuksAsync(cancellationToken)])
            .With([Parted.Tool, Parted.Teller, DeviceSignatures.Tool], [QemuImg.Name]);
        return support is { Available: true } && reason is not null ? support with { Available = false, Reason = reason } : support;
    }

    /// <exception cref="StorageException">As <see cref="StartAsync"/>.</exception>
    public async Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        return PoolState.Running;
    }

    /// <summary>Makes the partition table where the disk is blank. A disk that has the wanted one already is taken as it is, with its partitions.</summary>
    public async Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken)
    {
        var device = Disks.DeviceOf(pool);
        if (pool.Source.Format == Disks.OfVolumeGroups)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "What LVM has on a disk is no label with partitions: a pool of type 'logical' is built of it.", "source.format");
        using var held = await disks.LockAsync(device, cancellationToken);
        var table = await parted.ReadAsync(device, cancellationToken);
        var make = await claim.MustMakeAsync(
            device, Disks.Field, found => table is not null && Disks.IsWanted(pool, table) && found.All(Tables.Contains), () => { }, overwrite, run.Resumed, cancellationToken);
        await run.BeginAsync(cancellationToken);
        if (!make)
            return;
        await claim.EraseAsync(device, cancellationToken);
        await parted.MakeLabelAsync(device, Disks.LabelOf(pool), cancellationToken);
        if (await parted.ReadAsync(device, cancellationToken) is not { } made || made.Label != Disks.LabelOf(pool))
            throw new StorageException(new StorageError(
                ErrorCodes.ToolFailed, $"{Parted.Tool} ended well, and {device} has no {Disks.LabelOf(pool)} label.", Resource: device, Tool: Parted.Tool));
    }

    /// <summary>Has the kernel know every partition.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/>: the disk is not there; <see cref="ErrorCodes.ProbeFailed"/>: it has no table, or another one.</exception>
    public async Task StartAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        if (disk.Table.Partitions.All(partition => disk.NodeOf(partition) is not null))
            return;
        await run.BeginAsync(cancellationToken);
        await parted.TellKernelAsync(disk.Device, cancellationToken);
    }

    public Task StopAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes the partition table, which must be empty. A disk that is not there says nothing of its table: it may be back later.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidState"/> while there are partitions, or the disk is used; <see cref="ErrorCodes.HostFailure"/>: it is not there.
    /// </exception>
    public async Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var device = Disks.DeviceOf(pool);
        using var held = await disks.LockAsync(device, cancellationToken);
        if (await parted.ReadAsync(device, cancellationToken) is not { } table || !Disks.IsWanted(pool, table))
            return;
        if (table.Partitions.Count > 0)
            throw new StorageException(new StorageError(ErrorCodes.InvalidState, $"{device} has {table.Partitions.Count} partitions.", Resource: device));
        DeviceUse.RequireFree(device, Disks.Field);
        await run.BeginAsync(cancellationToken);
        await claim.EraseAsync(device, cancellationToken);
    }

    public async Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
    {
        var (volumes, space) = await LookAsync(pool, cancellationToken);
        foreach (var volume in volumes)
            await onVolume(volume);
        return new PoolObservation(PoolState.Running, space.Capacity, space.Allocation, space.Available, Volumes: volumes.Count, FreeExtents: space.FreeExtents);
    }

    private async Task<(IReadOnlyList<VolumeDefinition> Volumes, PoolSpace Space)> LookAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        return ([.. disk.Table.Partitions.Select(new PartitionView(pool, disk).Of).OrderBy(volume => volume.Name, Utf8Order.Comparer)], disk.Space);
    }

    public async Task<PoolSpace?> ReadSpaceAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        if (DeviceUse.FindNumber(Disks.DeviceOf(pool)) is null)
            return null;
        using var disk = await disks.OpenAsync(pool, cancellationToken);
        return disk.Space;
    }

    public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        disks.ReadVolumeAsync(pool, volume, cancellationToken);

    public Task<VolumeDefinition> CreateVolumeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken) =>
        MakeAsync(pool, volume, run, volume.Encryption is null ? null : node => encryption.FormatAsync(node, volume, run, cancellationToken), cancellationToken);

    public async Task<VolumeDefinition> CloneVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, CloneSource source, bool reflink, Run run, CancellationToken cancellationToken)
    {
        if (reflink)
            throw new StorageException(ErrorCodes.Unsupported, "A partition shares no blocks.", "reflink");
        if (volume.Format is "extended")
            throw new StorageException(ErrorCodes.Unsupported, "An extended partition holds no content.", "format");
        // A resumed run knows what it was making, also where the source is gone since: what it made is removed then.
        var size = run.Resumed ? 0 : await BlockCloner.MeasureAsync(source, run, cancellationToken);
        var sized = volume with { Capacity = Math.Max(volume.Capacity ?? 0, size), Format = volume.Format ?? PoolTypes.Of(Type).DefaultVolumeFormat };
        return await MakeAsync(pool, sized, run, node => cloner.FillAsync(node, sized, source, isBlank: false, run, cancellationToken), cancellationToken);
    }

    public Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken) =>
        changes.DeleteAsync(pool, volume, run, cancellationToken);

    public Task<IReadOnlyList<string>> PlanDeletionAsync(PoolDefinition pool, VolumeDeletion deletion, CancellationToken cancellationToken) =>
        changes.PlanDeletionAsync(pool, deletion, cancellationToken);

    public Task<VolumeDefinition> ResizeVolumeAsync(PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken) =>
        changes.ResizeAsync(pool, volume, resize, run, cancellationToken);

    public Task<VolumeDefinition> WipeVolumeAsync(PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken) =>
        changes.WipeAsync(pool, volume, algorithm, run, cancellationToken);

    public Task RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        changes.RequireUnusedAsync(pool, volume, cancellationToken);

    private async Task<VolumeDefinition> MakeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, Func<string, Task>? fill, CancellationToken cancellationToken)
    {
        if (volume is { Encryption: not null, Format: "extended" })
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "An extended partition holds no content.", "encryption");
        await encryption.RequireAsync(volume, cancellationToken);
        if (volume.BackingStore is not null)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A partition has no backing store.", "backingStore");
        if (volume.Capacity is not > 0 && !run.Resumed)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A partition has a capacity.", "capacity");
        return await maker.MakeAsync(pool, BlockEncryption.WithRoom(volume), run, fill, cancellationToken);
    }
}
