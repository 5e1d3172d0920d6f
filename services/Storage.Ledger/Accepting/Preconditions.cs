using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// What must be true when a command's turn comes. With nothing before it that is at once and the command is refused; otherwise its
/// operation fails when it is its turn, since what stands before it may change the answer.
/// </summary>
internal sealed class Preconditions(LedgerTransaction ledger)
{
    private readonly BackingVolumes backing = new(ledger);

    public async Task CheckAsync(ICommand command, Target target, CancellationToken cancellationToken)
    {
        CheckPoolState(command, target.Pool);
        if (command is DefinePool define)
            await CheckDefinitionAsync(define, target, cancellationToken);
        if (target.Type is { } type && CommandTypes.RunsOnHost(command))
            await CheckHostAsync(command, target, type, cancellationToken);
        await CheckVolumesAsync(command, target, cancellationToken);
    }

    /// <summary>What a type can never do is refused whatever stands before.</summary>
    public static void CheckType(CommandType command, PoolType type)
    {
        if (!PoolTypes.Of(type).Operations.HasFlag(command.Needs))
            throw new StorageException(ErrorCodes.Unsupported, $"Pools of type {PoolTypes.Of(type).Name} do not support {command.Name}.", "pool");
    }

    private static void CheckPoolState(ICommand command, PoolRow? pool)
    {
        switch (command)
        {
            case BuildPool or DeletePool or UndefinePool or StartPool when pool!.Active:
                throw Refused(pool, "active");
            // One that is neither is what this command itself defined when it was accepted, to be started now.
            case DefinePool { Transient: true } when pool is { Active: true } or { Persistent: true }:
                throw Refused(pool, pool.Active ? "active" : "defined persistently");
            case SetPoolAutostart { Autostart: true } when !pool!.Persistent:
                throw Refused(pool, "transient");
            case StopPool or RefreshPool or CreateVolume or CreateVolumes or CloneVolume or ResizeVolume or WipeVolume
                or MergeVolume or DeleteVolume or DeleteVolumes or RefreshVolume when !pool!.Active:
                throw Refused(pool, "not active");
        }
    }

    /// <summary>libvirt's rules for duplicates (virStoragePoolObjIsDuplicate, SourceFindDuplicate), naming the pool in the way.</summary>
    private async Task CheckDefinitionAsync(DefinePool define, Target target, CancellationToken cancellationToken)
    {
        if (define.ExpectedVersion is { } expected && expected != (target.Pool?.Version ?? 0))
            throw new StorageException(new StorageError(ErrorCodes.VersionMismatch,
                $"The definition has version {target.Pool?.Version ?? 0}, not {expected}.", Resource: Resources.Pool(target.PoolId!.Value)));
        await ledger.Inventory.SeeAsync(cancellationToken);
        var others = await ledger.Db.Pools.Where(row => row.Host == target.Host && row.Id != target.PoolId)
            .Select(row => new { row.Id, row.Name, row.Definition, row.NextDefinition }).ToListAsync(cancellationToken);
        foreach (var other in others)
            foreach (var json in new[] { other.Definition, other.NextDefinition }.OfType<string>())
                if (SourceConflict.FindField(define.Definition, KnownJson<PoolDefinition>.Read(json)) is { } field)
                    throw new StorageException(new StorageError(ErrorCodes.SourceConflict,
                        $"Storage source conflict with pool '{other.Name}'.", $"definition.{field}", Resource: Resources.Pool(other.Id)));
    }

    private async Task CheckHostAsync(ICommand command, Target target, PoolType type, CancellationToken cancellationToken)
    {
        var (info, kind) = (PoolTypes.Of(type), CommandTypes.Of(command));
        var announced = (await ledger.Inventory.WorkersAsync(cancellationToken)).Said(info.Family, target.Host).ToList();
        var support = announced.SelectMany(said => said.PoolTypes).Where(row => row.Type == type).ToList();
        var where = target.Host.Length > 0 ? $"on host {target.Host}" : "on any host";
        if (!support.Exists(row => row.Available))
            throw new StorageException(ErrorCodes.Unavailable,
                $"Pools of type {info.Name} are not available {where}: {support.FirstOrDefault()?.Reason ?? "no worker serves them"}.", "type");
        if (kind.Needs is not PoolOperations.None && !support.Exists(row => row.Available && row.Operations.Contains(kind.Needs.ToString())))
            throw new StorageException(ErrorCodes.Unavailable, $"{kind.Name} is not available for pools of type {info.Name} {where}.", "pool");
        foreach (var (volume, field) in NewVolumes(command))
        {
            var format = volume.Format ?? info.DefaultVolumeFormat;
            if (format is null)
                continue;
            var known = support.SelectMany(row => row.VolumeFormats).Where(row => row.Format == format).ToList();
            if (!known.Exists(row => row.Available))
                throw new StorageException(ErrorCodes.Unavailable,
                    $"Volumes of format {format} cannot be created {where}: {known.FirstOrDefault()?.Reason ?? "the worker does not know it"}.", $"{field}.format");
        }
        if (command is CreateVolume or CreateVolumes)
        {
            foreach (var (volume, field) in NewVolumes(command))
                await backing.RequireAllowedAsync(target.Pool!, volume, announced, field, cancellationToken);
        }
    }

    private async Task CheckVolumesAsync(ICommand command, Target target, CancellationToken cancellationToken)
    {
        if (target.Pool is not { } pool)
            return;
        var creates = NewVolumes(command).Count > 0;
        await ledger.Inventory.LoadVolumesAsync(pool.Id, target.Volumes, cancellationToken);
        for (var i = 0; i < target.Volumes.Count; i++)
        {
            var there = await ledger.Inventory.VolumeAsync(pool.Id, target.Volumes[i], cancellationToken) is { Removed: false };
            if (creates && there)
                throw new StorageException(new StorageError(ErrorCodes.VolumeExists, $"Volume '{target.Volumes[i]}' exists already in pool '{pool.Name}'.",
                    NewVolumes(command).Count > 1 ? $"volumes[{i}].name" : "volume.name", Resource: Resources.Volume(pool.Id, target.Volumes[i])));
            if (!creates && !there)
                throw new StorageException(ErrorCodes.VolumeNotFound, $"There is no volume '{target.Volumes[i]}' in pool '{pool.Name}'.", FieldOf(command, i));
        }
        if (command is DeleteVolume { Force: false } or DeleteVolumes { Force: false } or WipeVolume { Force: false } or ResizeVolume { Force: false, Shrink: true })
            await backing.RequireNoneOnAsync(pool, target.Volumes, i => FieldOf(command, i), cancellationToken);
        if (target is { SourceVolume: { } source }
            && await ledger.Inventory.VolumeAsync((target.SourcePool ?? pool).Id, source, cancellationToken) is not { Removed: false })
            throw new StorageException(ErrorCodes.VolumeNotFound, $"There is no volume '{source}' in pool '{(target.SourcePool ?? pool).Name}'.", "sourceVolume");
        if (target.SourcePool is { Active: false } inactive)
            throw Refused(inactive, "not active");
    }

    /// <summary>The volumes that a command makes, each with its field.</summary>
    private static List<(VolumeDefinition Volume, string Field)> NewVolumes(ICommand command) => command switch
    {
        CreateVolume create => [(create.Volume, "volume")],
        CloneVolume clone => [(clone.Volume, "volume")],
        CreateVolumes create => [.. create.Volumes.Select((volume, i) => (volume, $"volumes[{i}]"))],
        _ => [],
    };

    /// <summary>Where a command names a volume that is there.</summary>
    private static string FieldOf(ICommand command, int i) => command is DeleteVolumes ? $"volumes[{i}]" : i == 0 ? "volume" : "snapshot";

    private static StorageException Refused(PoolRow pool, string state) => new(new StorageError(
        ErrorCodes.InvalidState, $"Pool '{pool.Name}' is {state}.", "pool", Resource: Resources.Pool(pool.Id)));
}
