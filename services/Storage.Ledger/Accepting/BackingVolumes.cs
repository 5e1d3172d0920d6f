using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Which volumes are the backing stores of others, by their paths, and where one may lie. A volume is not taken away under those that are built
/// on it, nor while one is being built on its host. Paths are compared by the real names of pools' directories, and those of a server across
/// its hosts; other symbolic links in them are not known here.
/// </summary>
internal sealed class BackingVolumes(LedgerTransaction ledger)
{
    private const int Named = 5;

    /// <summary>The absolute path of a volume's backing store; null where it has none, or none that is a path.</summary>
    /// <param name="directory">The real directory of its pool, where it is known.</param>
    public static string? PathOf(VolumeDefinition volume, string? directory) =>
        volume is { BackingStore.Path: { } backing, Path: ['/', ..] path } ? Absolute(backing, directory ?? Path.GetDirectoryName(path)!) : null;

    /// <summary>The known volumes that new volumes of a pool are to be built on.</summary>
    public async Task<IReadOnlyList<(PoolRow Pool, string Volume)>> OfNewAsync(
        PoolRow pool, IEnumerable<VolumeDefinition> volumes, CancellationToken cancellationToken)
    {
        var found = new List<(PoolRow Pool, string Volume)>();
        foreach (var backing in volumes.Select(volume => volume.BackingStore?.Path).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            var known = await ledger.Inventory.DirectoriesAsync(pool.Host, cancellationToken);
            if (OfPool(known, pool) is not { } own || Absolute(backing, own.Real) is not { } path)
                continue;
            var real = PoolDirectory.Resolve(path, known);
            var (folder, name) = (Path.GetDirectoryName(real), Path.GetFileName(real));
            foreach (var directory in known.Where(directory => directory.Real == folder))
            {
                if (await ledger.Inventory.VolumeAsync(directory.Pool, name, cancellationToken) is { Removed: false })
                    found.Add(((await ledger.Inventory.PoolAsync(directory.Pool, cancellationToken))!, name));
            }
        }
        return found;
    }

    /// <summary>
    /// Refuses a backing store that is named neither in a pool of files of the host, nor in the volume's own pool, nor where its worker allows one.
    /// The worker judges what is really there.
    /// </summary>
    /// <param name="said">What the workers say that may run it.</param>
    /// <param name="field">Of the volume.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/>.</exception>
    public async Task RequireAllowedAsync(
        PoolRow pool, VolumeDefinition volume, IReadOnlyList<WorkerAnnouncement> said, string field, CancellationToken cancellationToken)
    {
        // One that does not say what it allows is older than this rule.
        if (volume.BackingStore is not { } backing || said.Any(worker => worker.BackingStores is null))
            return;
        var known = await ledger.Inventory.DirectoriesAsync(pool.Host, cancellationToken);
        if (OfPool(known, pool) is not { } own || Absolute(backing.Path, own.Real) is not { } path || known.Any(directory => (directory.HasFiles || directory.Pool == pool.Id) && directory.Has(path))
            || said.SelectMany(worker => worker.BackingStores!).Any(place => place == path || PoolDirectory.Below(path, place) is not null))
            return;
        throw new StorageException(
            ErrorCodes.Unsupported, $"The backing store {backing.Path} is named neither in a pool of this host nor where its worker allows one.",
            $"{field}.backingStore.path");
    }

    /// <summary>Refuses to take away volumes of a pool that others are built on, unless these go with them.</summary>
    /// <param name="field">What the command calls each of them.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>, naming them.</exception>
    public async Task RequireNoneOnAsync(PoolRow pool, IReadOnlyList<string> volumes, Func<int, string> field, CancellationToken cancellationToken)
    {
        if (!PoolTypes.Of(pool.Type).HasFilesOfServer && !await ledger.Inventory.AnyBackedAsync(pool.Host, cancellationToken))
            return;
        var hosts = await NamesAsync(pool, volumes, cancellationToken);
        var (named, paths) = (hosts.Keys.ToList(), hosts.Values.SelectMany(names => names.Names.Keys).Distinct().ToList());
        if (paths.Count == 0)
            return;
        var users = await ledger.Db.Volumes.Where(row => paths.Contains(row.BackingPath!) && !row.Removed)
            .Join(ledger.Db.Pools.Where(row => named.Contains(row.Host)), row => row.PoolId, row => row.Id,
                (row, of) => new { row.Name, row.Path, row.BackingPath, Pool = of.Name, of.Host })
            .OrderBy(row => row.Pool).ThenBy(row => row.Name).ThenBy(row => row.Host).AsAsyncEnumerable()
            .Where(row => hosts[row.Host].Names.ContainsKey(row.BackingPath!) && !hosts[row.Host].Has(row.Path)).Take(Named + 1).ToListAsync(cancellationToken);
        if (users.Count == 0)
            return;
        var at = hosts[users[0].Host].Names[users[0].BackingPath!];
        users = [.. users.Where(user => hosts[user.Host].Names[user.BackingPath!] == at)];
        var told = string.Join(", ", users.Take(Named)
            .Select(user => $"'{user.Name}' in pool '{user.Pool}'{(user.Host == pool.Host ? "" : $" on host {user.Host}")}"));
        throw new StorageException(new StorageError(ErrorCodes.InUse,
            $"Volume '{volumes[at]}' is the backing store of {told}{(users.Count > Named ? " and others" : "")}.", field(at),
            Resource: Resources.Volume(pool.Id, volumes[at])));
    }

    /// <summary>The names of volumes on each host that has them.</summary>
    private async Task<Dictionary<string, NamesOnHost>> NamesAsync(PoolRow pool, IReadOnlyList<string> volumes, CancellationToken cancellationToken)
    {
        var names = new Dictionary<string, NamesOnHost>(StringComparer.Ordinal)
        {
            [pool.Host] = new(await ledger.Inventory.DirectoriesAsync(pool.Host, cancellationToken)),
        };
        var elsewhere = await ElsewhereAsync(pool, cancellationToken);
        foreach (var (host, _) in elsewhere)
            names.TryAdd(host, new(await ledger.Inventory.DirectoriesAsync(host, cancellationToken)));
        for (var i = 0; i < volumes.Count; i++)
        {
            if ((await ledger.Inventory.VolumeAsync(pool.Id, volumes[i], cancellationToken))?.Path is not { } path)
                continue;
            names[pool.Host].Add(path, i);
            foreach (var (host, directory) in elsewhere)
                names[host].Add(Path.Combine(directory, volumes[i]), i);
        }
        return names;
    }

    /// <summary>Where the directory of a server is on the other hosts that have a pool of the same source.</summary>
    private async Task<IReadOnlyList<(string Host, string Path)>> ElsewhereAsync(PoolRow pool, CancellationToken cancellationToken)
    {
        if (!PoolTypes.Of(pool.Type).HasFilesOfServer)
            return [];
        var definition = Definition(pool.Definition);
        var others = await ledger.Db.Pools.Where(row => row.Type == pool.Type && row.Host != pool.Host)
            .Select(row => new { row.Host, row.Definition }).ToListAsync(cancellationToken);
        return [.. others.Select(row => (row.Host, Definition: Definition(row.Definition)))
            .Where(row => SourceConflict.Conflicts(definition, row.Definition) && row.Definition.Target.Path is not null)
            .Select(row => (row.Host, row.Definition.Target.Path!))];

        static PoolDefinition Definition(string json) => KnownJson<PoolDefinition>.Read(json);
    }

    /// <summary>What some volumes are called on a host: by all the names of their directories.</summary>
    private sealed class NamesOnHost(IReadOnlyList<PoolDirectory> known)
    {
        private readonly HashSet<string> real = new(StringComparer.Ordinal);

        /// <summary>Each name, with the place of its volume in the list.</summary>
        public Dictionary<string, int> Names { get; } = new(StringComparer.Ordinal);

        public void Add(string path, int at)
        {
            var resolved = PoolDirectory.Resolve(path, known);
            real.Add(resolved);
            foreach (var name in PoolDirectory.NamesOf(resolved, known))
                Names[name] = at;
        }

        /// <summary>Whether the file is that of one of them.</summary>
        public bool Has(string? path) => path is not null && real.Contains(PoolDirectory.Resolve(path, known));
    }

    private static PoolDirectory? OfPool(IReadOnlyList<PoolDirectory> known, PoolRow pool) => known.FirstOrDefault(directory => directory.Pool == pool.Id);

    private static string? Absolute(string backing, string folder)
    {
        // What has a protocol before its first slash is no path.
        var colon = backing.IndexOf(':', StringComparison.Ordinal);
        if (backing.Length == 0 || backing.Contains('\0') || (colon >= 0 && !backing.AsSpan(0, colon).Contains('/')))
            return null;
        return Path.GetFullPath(backing, folder);
    }
}
