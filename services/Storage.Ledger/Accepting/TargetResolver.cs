using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Finds the pool, host and volumes that a command names.</summary>
internal sealed class TargetResolver(LedgerTransaction ledger)
{
    private readonly BackingVolumes backing = new(ledger);

    public async Task<Target> ResolveAsync(ICommand command, CancellationToken cancellationToken) => command switch
    {
        DefinePool define => await ForDefinitionAsync(define, cancellationToken),
        FindPoolSources find => await ForHostAsync(find, cancellationToken),
        CancelOperation => new Target("", null, null, []),
        CloneVolume clone => await ForCloneAsync(clone, cancellationToken),
        CreateVolume create => await ForCreationAsync(create, [create.Volume], cancellationToken),
        CreateVolumes create => await ForCreationAsync(create, create.Volumes, cancellationToken),
        IPoolCommand known => await ForPoolAsync(known, VolumesOf(known), cancellationToken),
        _ => throw new StorageException(ErrorCodes.Unsupported, $"Unknown command {command.GetType().Name}.", "command"),
    };

    /// <summary>The volumes of its pool that a command names; those that are to be made and have no name yet are none of them.</summary>
    public static IReadOnlyList<string> VolumesOf(IPoolCommand command) => command switch
    {
        CreateVolume create => NamesOf([create.Volume]),
        CreateVolumes create => NamesOf(create.Volumes),
        CloneVolume clone => NamesOf([clone.Volume]),
        DeleteVolumes delete => delete.Volumes,
        MergeVolume merge => [merge.Volume, merge.Snapshot],
        IVolumeCommand known => [known.Volume],
        _ => [],
    };

    private static List<string> NamesOf(IEnumerable<VolumeDefinition> volumes) => [.. volumes.Select(volume => volume.Name).Where(name => name.Length > 0)];

    private async Task<Target> ForPoolAsync(IPoolCommand command, IReadOnlyList<string> volumes, CancellationToken cancellationToken)
    {
        var pool = await FindPoolAsync(command.Pool, command.Host, "pool", cancellationToken);
        return new Target(pool.Host, pool.Type, pool, volumes);
    }

    private async Task<Target> ForCreationAsync(IPoolCommand command, IReadOnlyList<VolumeDefinition> volumes, CancellationToken cancellationToken)
    {
        var target = await ForNewAsync(command, volumes, cancellationToken);
        return target with { Backing = await backing.OfNewAsync(target.Pool!, volumes, cancellationToken) };
    }

    private async Task<Target> ForNewAsync(IPoolCommand command, IReadOnlyList<VolumeDefinition> volumes, CancellationToken cancellationToken)
    {
        var names = VolumesOf(command);
        return await ForPoolAsync(command, names, cancellationToken) with { MakesUnnamed = names.Count < volumes.Count };
    }

    private async Task<Target> ForCloneAsync(CloneVolume clone, CancellationToken cancellationToken)
    {
        var target = await ForNewAsync(clone, [clone.Volume], cancellationToken);
        var source = clone.SourcePool is null
            ? target.Pool!
            : await FindPoolAsync(clone.SourcePool, clone.Host ?? target.Host, "sourcePool", cancellationToken);
        if (source.Host != target.Host)
            throw new StorageException(ErrorCodes.Unsupported, $"Pool {source.Name} is on another host.", "sourcePool");
        return target with { SourcePool = source, SourceVolume = clone.SourceVolume };
    }

    private async Task<Target> ForHostAsync(FindPoolSources find, CancellationToken cancellationToken) =>
        new(await FindHostAsync(find.Type, find.Host, cancellationToken), find.Type, null, []);

    private async Task<Target> ForDefinitionAsync(DefinePool define, CancellationToken cancellationToken)
    {
        var (definition, host) = (define.Definition, await FindHostAsync(define.Definition.Type, define.Host, cancellationToken));
        var known = await PoolOfNameAsync(definition.Name!, host, cancellationToken);
        if (known is null && definition.Uuid is { } uuid && await ledger.Inventory.PoolAsync(uuid, cancellationToken) is { } other)
            throw new StorageException(new StorageError(ErrorCodes.PoolExists,
                $"Pool '{other.Name}' is already defined with uuid {uuid}.", "definition.uuid", Resource: Resources.Pool(uuid)));
        if (known is not null && definition.Uuid is { } asked && asked != known.Id)
            throw new StorageException(new StorageError(ErrorCodes.PoolExists,
                $"Pool '{known.Name}' is already defined with uuid {known.Id}.", "definition.name", Resource: Resources.Pool(known.Id)));
        return new Target(host, definition.Type, known, []) { PoolId = known?.Id ?? definition.Uuid ?? Guid.NewGuid() };
    }

    private async Task<PoolRow> FindPoolAsync(string name, string? host, string field, CancellationToken cancellationToken)
    {
        if (Guid.TryParse(name, out var id) && await ledger.Inventory.PoolAsync(id, cancellationToken) is { } pool)
            return host is null || pool.Host == host ? pool : throw NotFound();
        if (host is not null)
            return await PoolOfNameAsync(name, host, cancellationToken) ?? throw NotFound();
        var ids = await ledger.Inventory.PoolsOfNameAsync(name, null, cancellationToken);
        return ids.Count switch
        {
            0 => throw NotFound(),
            1 => (await ledger.Inventory.PoolAsync(ids[0], cancellationToken))!,
            _ => throw new StorageException(ErrorCodes.HostAmbiguous, $"Pool '{name}' is on several hosts: say which.", "host"),
        };

        StorageException NotFound() => new(ErrorCodes.PoolNotFound, $"There is no pool '{name}'{(host is null ? "" : $" on host {host}")}.", field);
    }

    private async Task<PoolRow?> PoolOfNameAsync(string name, string host, CancellationToken cancellationToken)
    {
        var ids = await ledger.Inventory.PoolsOfNameAsync(name, host, cancellationToken);
        return ids.Count == 0 ? null : await ledger.Inventory.PoolAsync(ids[0], cancellationToken);
    }

    private async Task<string> FindHostAsync(PoolType type, string? host, CancellationToken cancellationToken)
    {
        var info = PoolTypes.Of(type);
        if (info.Scope is PoolScope.Cluster && host is null)
            return "";
        var hosts = (await ledger.Inventory.WorkersAsync(cancellationToken)).Hosts[info.Family].ToList();
        if (host is not null)
            return hosts.Contains(host) ? host : throw new StorageException(
                ErrorCodes.UnknownHost, $"No worker for pools of type {info.Name} has ever come up on host '{host}'.", "host");
        return hosts.Count switch
        {
            1 => hosts[0],
            0 => throw new StorageException(ErrorCodes.UnknownHost, $"No worker for pools of type {info.Name} has ever come up.", "host"),
            _ => throw new StorageException(ErrorCodes.HostAmbiguous, "Several hosts have this pool type: say which.", "host"),
        };
    }
}
