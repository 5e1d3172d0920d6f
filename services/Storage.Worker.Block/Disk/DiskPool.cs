using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// A disk with a partition table; its partitions are the volumes, and extended ones too. Source of fact: the table on the disk, as parted
/// reads it, and sysfs. There is nothing to stop: a disk with its table is running.
/// </summary>
public sealed class DiskPool(Parted parted, PartitionMaker maker, DeviceClaim claim, BlockWiper wiper, BlockCloner cloner, IToolRunner tools)
    : IPoolBuilder, IPoolActivator, IPoolDeleter, IVolumeCreator, IVolumeCloner, IVolumeDeleter, IVolumeResizer, IVolumeWiper, IVolumeUsers, IPoolSpace
{
    private const string Field = "source.devices[0].path";

    /// <summary>Tells the kernel of all partitions of a table: one that came with a loop device, or from another host, is not known to it.</summary>
    private const string Teller = "partprobe";

    /// <summary>What libblkid calls partition tables; it knows no pc98.</summary>
    private static readonly string[] Tables = ["dos", "gpt", "PMBR", "mac", "sgi", "sun", "bsd"];

    public PoolType Type => PoolType.Disk;

    public async Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken)
    {
        var reason = await parted.ReasonAsync(cancellationToken);
        var formats = PoolTypes.Of(Type).VolumeFormats.Select(format => new FormatSupport(format, true));
        var support = new PoolTypeSupport(Type, true, null, BackendOperations.Of(this), [.. formats], []).With([Parted.Tool, Teller, DeviceSignatures.Tool], [QemuImg.Name]);
        return support is { Available: true } && reason is not null ? support with { Available = false, Reason = reason } : support;
    }

    /// <exception cref="StorageException">As <see cref="StartAsync"/>.</exception>
    public async Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        await OpenAsync(pool, cancellationToken);
        return PoolState.Running;
    }

    /// <summary>Makes the partition table where the disk is blank. A disk that has the wanted one already is taken as it is, with its partitions.</summary>
    public async Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken)
    {
        var device = DeviceOf(pool);
        DeviceUse.NumberOf(device, Field);
        var table = await parted.ReadAsync(device, cancellationToken);
        var make = await claim.MustMakeAsync(
            device, Field, found => table is not null && IsWanted(pool, table) && found.All(Tables.Contains), () => { }, overwrite, run.Resumed, cancellationToken);
        await run.BeginAsync(cancellationToken);
        if (!make)
            return;
        await claim.EraseAsync(device, cancellationToken);
        await parted.MakeLabelAsync(device, LabelOf(pool), cancellationToken);
        if (await parted.ReadAsync(device, cancellationToken) is not { } made || made.Label != LabelOf(pool))
            throw new StorageException(new StorageError(
                ErrorCodes.ToolFailed, $"{Parted.Tool} ended well, and {device} has no {LabelOf(pool)} label.", Resource: device, Tool: Parted.Tool));
    }

    /// <summary>Has the kernel know every partition.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/>: the disk is not there; <see cref="ErrorCodes.ProbeFailed"/>: it has no table, or another one.</exception>
    public async Task StartAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var (device, disk, table) = await OpenAsync(pool, cancellationToken);
        if (table.Partitions.All(partition => PartitionNode.Find(disk, partition.Number) is not null))
            return;
        await run.BeginAsync(cancellationToken);
        await tools.RunAsync(new HostCommand(Teller, device), cancellationToken);
    }

    public Task StopAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes the partition table, which must be empty.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while there are partitions, or the disk is used.</exception>
    public async Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var device = DeviceOf(pool);
        if (DeviceUse.FindNumber(device) is null || await parted.ReadAsync(device, cancellationToken) is not { } table || !IsWanted(pool, table))
            return;
        if (table.Partitions.Count > 0)
            throw new StorageException(new StorageError(ErrorCodes.InvalidState, $"{device} has {table.Partitions.Count} partitions.", Resource: device));
        DeviceUse.RequireFree(device, Field);
        await run.BeginAsync(cancellationToken);
        await claim.EraseAsync(device, cancellationToken);
    }

    public async Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
    {
        var (device, disk, table) = await OpenAsync(pool, cancellationToken);
        foreach (var volume in table.Partitions.Select(partition => Describe(pool, device, disk, table, partition)).OrderBy(volume => volume.Name, Utf8Order.Comparer))
            await onVolume(volume);
        var (capacity, allocation, available) = SpaceOf(table);
        return new PoolObservation(PoolState.Running, capacity, allocation, available, Volumes: table.Partitions.Count);
    }

    public async Task<PoolSpace?> ReadSpaceAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        DeviceUse.FindNumber(DeviceOf(pool)) is null ? null : SpaceOf((await OpenAsync(pool, cancellationToken)).Table);

    public async Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        var (device, disk, table) = await OpenAsync(pool, cancellationToken);
        return Find(table, disk, volume) is { } partition ? Describe(pool, device, disk, table, partition) : null;
    }

    public Task<VolumeDefinition> CreateVolumeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken) =>
        MakeAsync(pool, volume, run, fill: null, cancellationToken);

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
        return await MakeAsync(pool, sized, run, node => cloner.FillAsync(node, source, isBlank: false, run, cancellationToken), cancellationToken);
    }

    public async Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken)
    {
        var (device, disk, _) = await OpenAsync(pool, cancellationToken);
        await maker.ChangeAsync(device, disk, async table =>
        {
            if (Find(table, disk, volume) is not { } partition)
                return;
            if (partition.Kind is PartitionKind.Extended && table.Logical.Any())
                throw Refused(ErrorCodes.InvalidState, volume, $"holds {table.Logical.Count()} logical partitions");
            if (table.Logical.FirstOrDefault(logical => partition.Kind is PartitionKind.Logical && logical.Number > partition.Number) is { } after)
                throw Refused(ErrorCodes.InvalidState, volume, $"has logical partitions after it, which would get other names: '{PartitionNode.NameOf(disk, after.Number)}' goes first");
            // Also where it was forced: a table that the kernel does not follow is no deletion.
            if (PartitionNode.Find(disk, partition.Number) is { } node && partition.Kind is not PartitionKind.Extended)
                BlockUse.RequireUnused(node);
            await run.BeginAsync(cancellationToken);
            await parted.RemoveAsync(device, partition.Number, cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Moves its end. It grows where the bytes behind it are free, also while it is used, and is not made smaller than the file system on it.</summary>
    public async Task<VolumeDefinition> ResizeVolumeAsync(
        PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        var (device, disk, _) = await OpenAsync(pool, cancellationToken);
        await maker.ChangeAsync(device, disk, async table =>
        {
            var partition = Find(table, disk, volume) ?? throw Missing(pool, volume);
            var end = partition.Start + PartitionPlace.Align(Math.Max(1, resize.To), table.SectorSize);
            if (end == partition.End)
                return;
            if (partition.Kind is PartitionKind.Extended && table.Logical.Any(logical => logical.End > end))
                throw Refused(ErrorCodes.InvalidState, volume, "holds logical partitions beyond that");
            if (end > partition.End && !table.Free.Any(free => free.Start <= partition.End && free.End >= end && table.IsForLogical(free) == partition.Kind is PartitionKind.Logical))
                throw new StorageException(ErrorCodes.NoSpace, $"Behind '{volume}' there are no free {end - partition.End} bytes.", "capacity");
            if (end < partition.End && partition.Kind is not PartitionKind.Extended && PartitionNode.Find(disk, partition.Number) is { } node)
                FileSystemSize.RequireWithin(node, end - partition.Start);
            await run.BeginAsync(cancellationToken);
            await parted.ResizeAsync(device, partition.Number, end, cancellationToken);
        }, cancellationToken);
        return await RequireVolumeAsync(pool, volume, cancellationToken);
    }

    public async Task<VolumeDefinition> WipeVolumeAsync(
        PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken)
    {
        var (_, disk, table) = await OpenAsync(pool, cancellationToken);
        var partition = Find(table, disk, volume) ?? throw Missing(pool, volume);
        if (partition.Kind is PartitionKind.Extended)
            throw Refused(ErrorCodes.Unsupported, volume, "is an extended partition: it has no content of its own");
        await wiper.WipeAsync(PartitionNode.Find(disk, partition.Number) ?? throw Missing(pool, volume), algorithm, run, cancellationToken);
        return await RequireVolumeAsync(pool, volume, cancellationToken);
    }

    public async Task RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        var (_, disk, table) = await OpenAsync(pool, cancellationToken);
        if (Find(table, disk, volume) is { Kind: not PartitionKind.Extended } partition && PartitionNode.Find(disk, partition.Number) is { } node)
            BlockUse.RequireUnused(node);
    }

    private async Task<VolumeDefinition> MakeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, Func<string, Task>? fill, CancellationToken cancellationToken)
    {
        if (volume.Encryption is not null)
            throw new StorageException(ErrorCodes.Unsupported, "Partitions are not encrypted here.", "encryption");
        if (volume.BackingStore is not null)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A partition has no backing store.", "backingStore");
        if (volume.Capacity is not > 0 && !run.Resumed)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A partition has a capacity.", "capacity");
        var (device, disk, _) = await OpenAsync(pool, cancellationToken);
        var number = await maker.MakeAsync(device, disk, volume, run, fill, cancellationToken);
        return await RequireVolumeAsync(pool, PartitionNode.NameOf(disk, number), cancellationToken);
    }

    private async Task<VolumeDefinition> RequireVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        await ReadVolumeAsync(pool, volume, cancellationToken) ?? throw Missing(pool, volume);

    private async Task<(string Device, string Disk, PartitionTable Table)> OpenAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        var device = DeviceOf(pool);
        var disk = PartitionNode.DiskOf(device, Field);
        var table = await maker.ReadAsync(device, disk, cancellationToken);
        return IsWanted(pool, table) ? (device, disk, table) : throw new StorageException(new StorageError(
            ErrorCodes.ProbeFailed, $"{device} has a {table.Label} label, and not one of {LabelOf(pool)}.", "source.format", Resource: device));
    }

    private static PoolSpace SpaceOf(PartitionTable table)
    {
        var free = table.Free.Sum(extent => extent.End - extent.Start);
        return new PoolSpace(table.Size, table.Size - free, free);
    }

    private static VolumeDefinition Describe(PoolDefinition pool, string device, string disk, PartitionTable table, Partition partition)
    {
        var name = PartitionNode.NameOf(disk, partition.Number);
        var path = PartitionNode.PathOf(pool, disk, partition.Number);
        var volume = PartitionNode.Find(disk, partition.Number) is null
            ? new VolumeDefinition { Name = name, Key = path, Path = path, Type = VolumeKind.Block, Problem = "The kernel has no device of it." }
            : BlockVolume.Read(name, path);
        // The kernel shows an extended partition as one of a few sectors.
        return volume with
        {
            Format = PartitionType.Of(partition),
            Capacity = partition.Size,
            Allocation = partition.Kind is PartitionKind.Extended ? table.Logical.Sum(logical => logical.Size) : partition.Size,
            Physical = partition.Size,
            Extents = [new SourceExtent(device, partition.Start, partition.End)],
        };
    }

    private static Partition? Find(PartitionTable table, string disk, string volume) =>
        table.Partitions.FirstOrDefault(partition => PartitionNode.NameOf(disk, partition.Number) == volume);

    private static string DeviceOf(PoolDefinition pool) => pool.Source.Devices[0].Path is ['/', ..] path
        ? path
        : throw new StorageException(ErrorCodes.InvalidDefinition, "The source device is an absolute path.", Field);

    /// <summary>As libvirt: what is not said is dos where it is to be made, and any where it is there.</summary>
    private static string LabelOf(PoolDefinition pool) => pool.Source.Format is null or "unknown" ? "dos" : pool.Source.Format;

    private static bool IsWanted(PoolDefinition pool, PartitionTable table) => pool.Source.Format is null or "unknown" || table.Label == pool.Source.Format;

    private static StorageException Missing(PoolDefinition pool, string volume) =>
        new(new StorageError(ErrorCodes.VolumeNotFound, $"There is no volume '{volume}' in pool '{pool.Name}'.", Resource: volume));

    private static StorageException Refused(string code, string volume, string why) => new(new StorageError(code, $"'{volume}' {why}.", Resource: volume));
}
