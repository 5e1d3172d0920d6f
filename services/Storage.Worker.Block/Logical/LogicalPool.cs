using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// A volume group of LVM2; its logical volumes are the volumes, and thin pools too. Source of fact: LVM's own reports. A group runs when its
/// volumes are active; one without any always does.
/// </summary>
public sealed class LogicalPool(Lvm lvm, VolumeGroupMaker groups, LogicalVolumeMaker maker, LogicalVolumeChanges changes, BlockCloner cloner, BlockEncryption encryption, QemuImg qemuImg)
    : IPoolBuilder, IPoolActivator, IPoolDeleter, ISourceFinder, IVolumeCreator, IVolumeCloner, IVolumeDeleter, IVolumeResizer, IVolumeWiper,
        IVolumeUsers, ISnapshotMerger, IPoolSpace, IFillingVolumes
{
    private const string ThinTool = "thin_check";

    public PoolType Type => PoolType.Logical;

    public async Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken)
    {
        var reason = await lvm.ReasonAsync(cancellationToken);
        var support = new PoolTypeSupport(Type, true, null, BackendOperations.Of(this), [], [], [await qemuImg.LuksAsync(cancellationToken)]).With([Lvm.Tool, DeviceSignatures.Tool], [ThinTool, QemuImg.Name]);
        return support is { Available: true } && reason is not null ? support with { Available = false, Reason = reason } : support;
    }

    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/>: nothing of it is active. As <see cref="Lvm.RequireAsync"/>.</exception>
    public async Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        if (!Runs(group))
            throw new StorageException(new StorageError(
                ErrorCodes.HostFailure, ProblemOf(group) ?? $"No volume of volume group '{group.Name}' is active.", "source", Resource: group.Name, Retryable: true));
        return group.Missing > 0 ? PoolState.Degraded : PoolState.Running;
    }

    /// <summary>All groups of the host, each with its devices. libvirt has these too.</summary>
    public async Task<IReadOnlyList<PoolSource>> FindSourcesAsync(PoolSource? where, CancellationToken cancellationToken) =>
        [.. (await lvm.ReadAsync(where?.Name, where is { Devices.Count: > 0 } ? Lvm.DevicesOf(new PoolDefinition { Type = Type, Source = where }) : null, cancellationToken))
            .OrderBy(group => group.Name, Utf8Order.Comparer)
            .Select(group => new PoolSource
            {
                Name = group.Name,
                Devices = [.. group.Devices.Where(device => !device.IsMissing).Select(device => new SourceDevice(device.Name))],
                Format = "lvm2",
            })];

    public Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken) => groups.BuildAsync(pool, overwrite, run, cancellationToken);

    /// <summary>Makes all volumes active. Where devices are missing, those that can be: the pool is degraded then.</summary>
    public async Task StartAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        // Its volumes would have the same names for the kernel.
        if (await lvm.ReadAsync(pool.Source.Name!, null, cancellationToken) is { Count: > 1 } several)
            throw Lvm.Several(several);
        var group = await lvm.RequireAsync(pool, cancellationToken);
        if (Own(group).All(volume => volume.IsActive))
            return;
        await run.BeginAsync(cancellationToken);
        await lvm.ActivateAsync(group, active: true, Lvm.DevicesOf(pool), cancellationToken);
    }

    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>, naming who uses a volume: nothing is stopped then.</exception>
    public async Task StopAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        if (await lvm.FindAsync(pool, cancellationToken) is not { } group || group.Volumes.All(volume => !volume.IsActive))
            return;
        foreach (var volume in Own(group).Where(volume => volume.IsOpen))
            BlockUse.RequireUnused(LogicalVolumeView.PathOf(pool, volume.Name));
        await run.BeginAsync(cancellationToken);
        try
        {
            await lvm.ActivateAsync(group, active: false, Lvm.DevicesOf(pool), cancellationToken);
        }
        catch when (!run.CutOff)
        {
            // Somebody has just opened one: the others are wanted again.
            await lvm.ActivateAsync(group, active: true, Lvm.DevicesOf(pool), CancellationToken.None);
            throw;
        }
    }

    public Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) => groups.DeleteAsync(pool, run, cancellationToken);

    public async Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        await maker.RemoveLeftAsync(pool, group, run, cancellationToken);
        var volumes = group.Visible.Where(volume => !LogicalVolumeView.IsIncomplete(volume)).OrderBy(volume => volume.Name, Utf8Order.Comparer).ToList();
        foreach (var volume in volumes)
            await onVolume(LogicalVolumeView.Of(pool, group, volume));
        return new PoolObservation(
            group.Missing > 0 ? PoolState.Degraded : PoolState.Running, group.Size, group.Size - group.Free, group.Free, Volumes: volumes.Count, Problem: ProblemOf(group));
    }

    public async Task<PoolSpace?> ReadSpaceAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        await lvm.FindAsync(pool, cancellationToken) is { } group && Runs(group) ? new PoolSpace(group.Size, group.Size - group.Free, group.Free) : null;

    /// <summary>The thin pools.</summary>
    public async Task<IReadOnlyList<VolumeDefinition>> ReadFillingAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        await lvm.FindAsync(pool, cancellationToken) is { } group
            ? [.. group.Visible.Where(volume => volume.IsThinPool).Select(volume => LogicalVolumeView.Of(pool, group, volume))]
            : [];

    public async Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        return group.Find(volume) is { } found && !LogicalVolumeView.IsIncomplete(found) ? LogicalVolumeView.Of(pool, group, found) : null;
    }

    public async Task<VolumeDefinition> CreateVolumeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        await RequireEncryptableAsync(volume, cancellationToken);
        return await maker.MakeAsync(
            pool, BlockEncryption.WithRoom(volume), run, volume.Encryption is null ? null : path => encryption.FormatAsync(path, volume, run, cancellationToken), cancellationToken);
    }

    /// <summary>With reflink the copy of a thin volume is a thin snapshot of it.</summary>
    public async Task<VolumeDefinition> CloneVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, CloneSource source, bool reflink, Run run, CancellationToken cancellationToken)
    {
        if (volume.Layout?.Kind is LayoutKind.ThinPool or LayoutKind.Snapshot)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A copy is neither a thin pool nor a snapshot.", "layout.kind");
        await RequireEncryptableAsync(volume, cancellationToken);
        if (reflink && volume.Encryption is not null)
            throw new StorageException(ErrorCodes.Unsupported, "What shares blocks with its source is encrypted as that is.", "reflink");
        if (reflink)
            return await maker.MakeAsync(pool, await SharingAsync(pool, volume, source, cancellationToken), run, fill: null, cancellationToken);
        var size = await MeasureAsync(pool, volume, source, run, cancellationToken);
        var sized = volume with { Capacity = Math.Max(volume.Capacity ?? 0, size) };
        // What a thin volume has no blocks for reads as zeros.
        var isBlank = volume.Layout?.Kind is LayoutKind.Thin;
        return await maker.MakeAsync(
            pool, BlockEncryption.WithRoom(sized), run, path => cloner.FillAsync(path, sized, source, isBlank, run, cancellationToken), cancellationToken);
    }

    public Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken) =>
        changes.DeleteAsync(pool, volume, run, cancellationToken);

    public Task<IReadOnlyList<string>> PlanDeletionAsync(PoolDefinition pool, VolumeDeletion deletion, CancellationToken cancellationToken) =>
        changes.PlanDeletionAsync(pool, deletion, cancellationToken);

    public Task<VolumeDefinition> ResizeVolumeAsync(PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken) =>
        changes.ResizeAsync(pool, volume, resize, run, cancellationToken);

    public Task<VolumeDefinition> WipeVolumeAsync(PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken) =>
        changes.WipeAsync(pool, volume, algorithm, run, cancellationToken);

    public Task<VolumeDefinition> MergeSnapshotAsync(PoolDefinition pool, string volume, string snapshot, Run run, CancellationToken cancellationToken) =>
        changes.MergeAsync(pool, volume, snapshot, run, cancellationToken);

    public Task RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        changes.RequireUnusedAsync(pool, volume, cancellationToken);

    private Task RequireEncryptableAsync(VolumeDefinition volume, CancellationToken cancellationToken) =>
        volume is { Encryption: not null, Layout.Kind: LayoutKind.ThinPool or LayoutKind.Snapshot }
            ? throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A thin pool is not encrypted, and a snapshot is as its origin.", "encryption")
            : encryption.RequireAsync(volume, cancellationToken);

    /// <summary>Where the source is gone when a run is resumed, what the run has made so far goes too.</summary>
    private async Task<long> MeasureAsync(PoolDefinition pool, VolumeDefinition volume, CloneSource source, Run run, CancellationToken cancellationToken)
    {
        try
        {
            return await BlockCloner.MeasureAsync(source, run, cancellationToken);
        }
        catch when (run.Resumed && !run.CutOff)
        {
            await maker.UndoAsync(pool, volume.Name, run.OperationId);
            throw;
        }
    }

    private async Task<VolumeDefinition> SharingAsync(PoolDefinition pool, VolumeDefinition volume, CloneSource source, CancellationToken cancellationToken)
    {
        var isThin = source.Pool.Uuid == pool.Uuid && (await lvm.RequireAsync(pool, cancellationToken)).Find(source.Volume) is { IsThin: true };
        return isThin
            ? volume with { Layout = new VolumeLayout(LayoutKind.Snapshot), BackingStore = new BackingStore(LogicalVolumeView.PathOf(pool, source.Volume)) }
            : throw new StorageException(ErrorCodes.Unsupported, "Only thin volumes of the same volume group share blocks.", "reflink");
    }

    private static IEnumerable<LogicalVolume> Own(VolumeGroup group) => group.Visible.Where(volume => !volume.IsThinPool);

    private static bool Runs(VolumeGroup group) => !Own(group).Any() || Own(group).Any(volume => volume.IsActive);

    private static string? ProblemOf(VolumeGroup group) => group.Missing == 0 ? null
        : $"Of the {group.Devices.Count} devices of volume group '{group.Name}' {group.Missing} {(group.Missing == 1 ? "is" : "are")} missing, or not named by the pool: "
            + $"{string.Join(", ", group.Devices.Where(device => device.IsMissing).Select(device => device.Uuid))}.";
}
