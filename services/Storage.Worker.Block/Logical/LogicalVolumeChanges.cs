using System.Globalization;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>What is done to logical volumes that are there.</summary>
public sealed class LogicalVolumeChanges(Lvm lvm, LogicalVolumeMaker maker, BlockWiper wiper, BlockShrink shrink)
{
    /// <summary>
    /// Refused while other volumes are made of it: lvremove would take snapshots and thin volumes along, unasked. A group that is not found says
    /// nothing of its volumes: its devices may be back later.
    /// </summary>
    public async Task DeleteAsync(PoolDefinition pool, string name, Run run, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        if (group.Find(name) is not { } volume)
            return;
        RequireRemovable(pool, group, volume, []);
        await run.BeginAsync(cancellationToken);
        await maker.RemoveAsync(pool, group, name, cancellationToken);
    }

    /// <summary>As <see cref="IVolumeDeleter.PlanDeletionAsync"/>, by one report of LVM.</summary>
    public async Task<IReadOnlyList<string>> PlanDeletionAsync(PoolDefinition pool, VolumeDeletion deletion, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        var found = new List<(string Name, string? MadeOf)>();
        foreach (var name in deletion.Volumes)
        {
            deletion.At = name;
            if (group.Find(name) is not { } volume)
                continue;
            RequireRemovable(pool, group, volume, deletion.Volumes);
            // A snapshot of a thin volume does without it, and not without their thin pool.
            found.Add((name, volume.ThinPool ?? (volume.IsThickSnapshot ? volume.Origin : null)));
        }
        return DeletionOrder.Of(found);
    }

    /// <param name="going">What goes before it.</param>
    private static void RequireRemovable(PoolDefinition pool, VolumeGroup group, LogicalVolume volume, IReadOnlyList<string> going)
    {
        var name = volume.Name;
        var others = group.Visible.Where(other => volume.IsThinPool ? other.ThinPool == name : other.IsThickSnapshot && other.Origin == name)
            .Select(other => other.Name).Except(going).ToList();
        if (others.Count > 0)
            throw Refused(ErrorCodes.InvalidState, name, $"has {string.Join(", ", others)}: {(others.Count == 1 ? "it goes" : "they go")} first");
        if (volume.IsMerging)
            throw Refused(ErrorCodes.InUse, name, "has a snapshot that is being merged into it");
        // Also where it was forced: LVM removes nothing that is open.
        if (!volume.IsThinPool)
            BlockUse.RequireUnused(LogicalVolumeView.PathOf(pool, name));
    }

    /// <summary>To whole extents, upwards. It grows also while it is used, and is not made smaller than the file system on it.</summary>
    public async Task<VolumeDefinition> ResizeAsync(PoolDefinition pool, string name, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        var (group, volume) = await OpenAsync(pool, name, cancellationToken);
        if (volume.IsThickSnapshot)
            throw Refused(ErrorCodes.Unsupported, name, "is a snapshot: it has the capacity of its origin");
        if (volume.IsThinPool && resize.To < volume.Size)
            throw Refused(ErrorCodes.Unsupported, name, "is a thin pool: LVM makes none smaller");
        var to = group.Round(resize.To);
        if (to != volume.Size)
        {
            if (to > volume.Size && !volume.IsThin && to - volume.Size > group.Free)
                throw new StorageException(ErrorCodes.NoSpace, $"'{name}' would need {to - volume.Size} bytes, and {group.Free} are free in volume group '{group.Name}'.", "capacity");
            if (to < volume.Size && volume.IsActive)
                await shrink.RequireWithinAsync(LogicalVolumeView.PathOf(pool, name), to, resize.Force, cancellationToken);
            await run.BeginAsync(cancellationToken);
            var size = to.ToString(CultureInfo.InvariantCulture) + "b";
            IReadOnlyList<string> words = to > volume.Size ? ["--size", size] : ["--yes", "--force", "--size", size];
            await lvm.ChangeAsync(to > volume.Size ? "lvextend" : "lvreduce", Lvm.DevicesOf(pool), [.. words, $"{group.Name}/{name}"], cancellationToken);
        }
        return await ReadAsync(pool, name, cancellationToken);
    }

    public async Task<VolumeDefinition> WipeAsync(PoolDefinition pool, string name, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken)
    {
        var (group, volume) = await OpenAsync(pool, name, cancellationToken);
        if (volume.IsThinPool)
            throw Refused(ErrorCodes.Unsupported, name, "is a thin pool: it has no content of its own");
        if (volume.IsThickSnapshot)
            throw Refused(ErrorCodes.Unsupported, name, "is a snapshot: writing to all of it would fill its store");
        if (volume.IsThin && algorithm is not WipeAlgorithm.Trim)
            RequireThinRoom(group, volume);
        await wiper.WipeAsync(LogicalVolumeView.PathOf(pool, name), algorithm, run, cancellationToken);
        return await ReadAsync(pool, name, cancellationToken);
    }

    public async Task<VolumeDefinition> MergeAsync(PoolDefinition pool, string name, string snapshot, Run run, CancellationToken cancellationToken)
    {
        var (group, volume) = await OpenAsync(pool, name, cancellationToken);
        var of = group.Find(snapshot);
        // What a resumed run was merging is hidden, or gone.
        if (of is null && !run.Resumed)
            throw new StorageException(new StorageError(ErrorCodes.VolumeNotFound, $"There is no volume '{snapshot}' in pool '{pool.Name}'.", "snapshot", Resource: snapshot));
        if (of is not null && of.Origin != name)
            throw new StorageException(ErrorCodes.InvalidArgument, $"'{snapshot}' is no snapshot of '{name}'.", "snapshot");
        var devices = Lvm.DevicesOf(pool);
        if (of is not null)
        {
            if (of.IsFailed)
                throw Refused(ErrorCodes.InvalidState, snapshot, "was full: what it held is lost");
            BlockUse.RequireUnused(LogicalVolumeView.PathOf(pool, name));
            BlockUse.RequireUnused(LogicalVolumeView.PathOf(pool, snapshot));
            await run.BeginAsync(cancellationToken);
            await lvm.MergeAsync(group.Name, snapshot, devices, run.Progress, CancellationToken.None);
        }
        (group, volume) = await OpenAsync(pool, name, CancellationToken.None);
        if (volume.IsMerging)
        {
            // Whoever opened one of the two meanwhile has put it off until the volume becomes active again.
            if (!volume.IsOpen)
                await lvm.ReactivateAsync(group.Name, name, devices, CancellationToken.None);
            if (run.Resumed || !volume.IsOpen)
                await lvm.EndMergeAsync(group.Name, name, devices, run.Progress, cancellationToken);
        }
        (group, volume) = await OpenAsync(pool, name, CancellationToken.None);
        return !volume.IsMerging && group.Find(snapshot) is null
            ? LogicalVolumeView.Of(pool, group, volume)
            : throw new StorageException(new StorageError(
                ErrorCodes.InUse, $"'{snapshot}' is merged into '{name}' when nobody uses these any more and '{name}' becomes active again.", Resource: name, Retryable: true));
    }

    public async Task RequireUnusedAsync(PoolDefinition pool, string name, CancellationToken cancellationToken)
    {
        if (await lvm.FindAsync(pool, cancellationToken) is { } group && group.Find(name) is { IsThinPool: false })
            BlockUse.RequireUnused(LogicalVolumeView.PathOf(pool, name));
    }

    private async Task<(VolumeGroup Group, LogicalVolume Volume)> OpenAsync(PoolDefinition pool, string name, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        return (group, group.Find(name) is { } volume && !LogicalVolumeView.IsIncomplete(volume) ? volume : throw new StorageException(new StorageError(
            ErrorCodes.VolumeNotFound, $"There is no volume '{name}' in pool '{pool.Name}'.", Resource: name)));
    }

    private async Task<VolumeDefinition> ReadAsync(PoolDefinition pool, string name, CancellationToken cancellationToken)
    {
        var (group, volume) = await OpenAsync(pool, name, cancellationToken);
        return LogicalVolumeView.Of(pool, group, volume);
    }

    /// <summary>A thin pool that runs full stops every volume in it.</summary>
    private static void RequireThinRoom(VolumeGroup group, LogicalVolume volume)
    {
        var pool = group.Find(volume.ThinPool!);
        var free = (long)((pool?.Size ?? 0) * (100 - (pool?.DataPercent ?? 0)) / 100);
        var needed = (long)(volume.Size * (100 - (volume.DataPercent ?? 0)) / 100);
        if (needed > free)
            throw new StorageException(
                ErrorCodes.NoSpace, $"To overwrite all of '{volume.Name}' takes up to {needed} bytes of thin pool '{volume.ThinPool}', which has {free}: trim gives its blocks back.", "algorithm");
    }

    private static StorageException Refused(string code, string volume, string why) => new(new StorageError(code, $"'{volume}' {why}.", Resource: volume));
}
