using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Pools, volumes and workers as one transaction sees and changes them; each row is read at most once.</summary>
public sealed class InventoryState(LedgerDb db, KnownWorkers? kept = null, Opening? opening = null)
{
    private readonly Dictionary<Guid, PoolRow?> pools = [];
    private readonly Dictionary<(Guid Pool, string Name), VolumeRow?> volumes = [];
    private readonly List<(Guid Pool, string? After, string? Through)> ranges = [];
    private readonly Dictionary<(string Host, PoolFamily Family), WorkerRow?> workers = [];
    private readonly Dictionary<(string? Host, string Name), IReadOnlyList<Guid>> names = [];
    private readonly Dictionary<string, bool> backed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<PoolDirectory>> directories = new(StringComparer.Ordinal);
    private WorkerSet? set;
    private bool workersChanged;
    private bool unwritten;

    public LedgerDb Db => db;

    /// <summary>Takes over what was read when the transaction began.</summary>
    internal void Know(Wanted wanted, Opening found)
    {
        foreach (var id in wanted.Pools)
            pools[id] = null;
        foreach (var pool in found.Pools)
            pools[pool.Id] = pool;
        foreach (var (name, ids) in found.PoolNames)
            names[name] = ids;
        foreach (var (pool, known) in wanted.Volumes)
            foreach (var name in known)
                volumes[(pool, name)] = null;
        foreach (var volume in found.Volumes)
            volumes[(volume.PoolId, volume.Name)] = volume;
    }

    /// <summary>Reads many pools at once.</summary>
    public async Task LoadPoolsAsync(IEnumerable<Guid> ids, CancellationToken cancellationToken)
    {
        var missing = ids.Where(id => !pools.ContainsKey(id)).Distinct().ToList();
        if (missing.Count == 0)
            return;
        var found = await db.Pools.Where(row => missing.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
        foreach (var id in missing)
            pools[id] = found.GetValueOrDefault(id);
    }

    /// <summary>Reads many volumes of a pool at once.</summary>
    public async Task LoadVolumesAsync(Guid pool, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        var missing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names.Where(name => !volumes.ContainsKey((pool, name))))
            if (ranges.Exists(range => range.Pool == pool && IsWithin(name, range.After, range.Through)))
                volumes[(pool, name)] = null;
            else
                missing.Add(name);
        if (missing.Count == 0)
            return;
        var found = await db.VolumesNamed(pool, missing)
            .ToDictionaryAsync(row => row.Name, StringComparer.Ordinal, cancellationToken);
        foreach (var name in missing)
            volumes[(pool, name)] = found.GetValueOrDefault(name);
    }

    /// <summary>The volumes of a pool after one name and up to another, in the order of their names; null is open.</summary>
    public async Task<IReadOnlyList<VolumeRow>> LoadVolumeRangeAsync(
        Guid pool, string? after, string? through, CancellationToken cancellationToken)
    {
        var query = db.Volumes.Where(row => row.PoolId == pool);
        if (after is not null)
            query = query.Where(row => string.Compare(row.Name, after) > 0);
        if (through is not null)
            query = query.Where(row => string.Compare(row.Name, through) <= 0);
        foreach (var row in await query.ToListAsync(cancellationToken))
            volumes.TryAdd((pool, row.Name), row);
        ranges.Add((pool, after, through));
        return [.. volumes
            .Where(entry => entry.Key.Pool == pool && entry.Value is not null && IsWithin(entry.Key.Name, after, through))
            .Select(entry => entry.Value!)];
    }

    private static bool IsWithin(string name, string? after, string? through) =>
        (after is null || Utf8Order.Compare(name, after) > 0) && (through is null || Utf8Order.Compare(name, through) <= 0);

    /// <summary>What is known of the volumes of a pool after one name and up to another, in the order of their names; null is open.</summary>
    public async Task<IReadOnlyList<(string Name, byte[]? Digest)>> ReadDigestsAsync(
        Guid pool, string? after, string? through, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        var query = db.Volumes.AsNoTracking().Where(row => row.PoolId == pool && !row.Removed);
        if (after is not null)
            query = query.Where(row => string.Compare(row.Name, after) > 0);
        if (through is not null)
            query = query.Where(row => string.Compare(row.Name, through) <= 0);
        var rows = await query.OrderBy(row => row.Name).Select(row => new { row.Name, row.Digest }).ToListAsync(cancellationToken);
        return [.. rows.Select(row => (row.Name, row.Digest))];
    }

    public async Task<PoolRow?> PoolAsync(Guid id, CancellationToken cancellationToken)
    {
        await LoadPoolsAsync([id], cancellationToken);
        return pools[id];
    }

    public async Task<VolumeRow?> VolumeAsync(Guid pool, string name, CancellationToken cancellationToken)
    {
        await LoadVolumesAsync(pool, [name], cancellationToken);
        return volumes[(pool, name)];
    }

    public async Task<WorkerRow?> WorkerAsync(string host, PoolFamily family, CancellationToken cancellationToken)
    {
        if (!workers.TryGetValue((host, family), out var worker))
            workers[(host, family)] = worker = await db.Workers.SingleOrDefaultAsync(
                row => row.Host == host && row.Family == family, cancellationToken);
        return worker;
    }

    /// <summary>All workers, as this transaction has written them.</summary>
    internal async Task<WorkerSet> WorkersAsync(CancellationToken cancellationToken)
    {
        if (set is not null)
            return set;
        var version = workersChanged ? null : opening?.WorkersVersion;
        if (version is { } known && kept?.Of(known) is { } same)
            return set = same;
        set = new WorkerSet(await db.Workers.AsNoTracking().ToListAsync(cancellationToken));
        if (version is { } read)
            kept?.Keep(read, set);
        return set;
    }

    /// <summary>A worker is about to change: what processes have kept of workers is no longer true with this transaction.</summary>
    internal async Task ChangeWorkersAsync(CancellationToken cancellationToken)
    {
        set = null;
        if (workersChanged)
            return;
        workersChanged = true;
        var cursor = await db.Cursors.FindAsync([LedgerDialect.Workers], cancellationToken);
        if (cursor is null)
            db.Cursors.Add(cursor = new CursorRow { Reader = LedgerDialect.Workers });
        cursor.Sequence++;
    }

    /// <summary>The pools of a name, on one host or on all (null): more than two are not told apart.</summary>
    public async Task<IReadOnlyList<Guid>> PoolsOfNameAsync(string name, string? host, CancellationToken cancellationToken)
    {
        if (!names.TryGetValue((host, name), out var ids))
        {
            await SeeAsync(cancellationToken);
            var rows = await db.Pools.Where(row => row.Name == name && (host == null || row.Host == host))
                .OrderBy(row => row.Host).Take(2).ToListAsync(cancellationToken);
            // One that was removed in this transaction stays so.
            rows.ForEach(row => pools.TryAdd(row.Id, row));
            names[(host, name)] = ids = [.. rows.Select(row => row.Id)];
        }
        return ids;
    }

    /// <summary>Whether any volume on a host has a backing store.</summary>
    public async Task<bool> AnyBackedAsync(string host, CancellationToken cancellationToken)
    {
        if (opening?.AnyBacked is false)
            return false;
        if (!backed.TryGetValue(host, out var any))
        {
            await SeeAsync(cancellationToken);
            // Said so that it goes by the index of those that have one. Of a host, its volumes may be looked through: only where there is any at all.
            var all = db.Volumes.Where(row => string.Compare(row.BackingPath, "") > 0 && !row.Removed);
            backed[host] = any = await all.AnyAsync(cancellationToken)
                && await all.AnyAsync(row => db.Pools.Any(pool => pool.Id == row.PoolId && pool.Host == host), cancellationToken);
        }
        return any;
    }

    /// <summary>The target directories of a host's pools.</summary>
    public async Task<IReadOnlyList<PoolDirectory>> DirectoriesAsync(string host, CancellationToken cancellationToken)
    {
        if (!directories.TryGetValue(host, out var known))
        {
            await SeeAsync(cancellationToken);
            var rows = await db.Pools.Where(row => row.Host == host).Select(row => new { row.Id, row.Type, row.Definition, row.Directory })
                .ToListAsync(cancellationToken);
            directories[host] = known = [.. rows
                .Select(row => (row.Id, row.Type, row.Directory, KnownJson<PoolDefinition>.Read(row.Definition).Target.Path))
                .Where(row => row.Path is ['/', ..])
                .Select(row => (row.Id, row.Type, row.Directory, Named: Path.TrimEndingDirectorySeparator(Path.GetFullPath(row.Path!))))
                .Select(row => new PoolDirectory(row.Id, row.Named, row.Directory ?? row.Named, PoolTypes.Of(row.Type).HasFiles))];
        }
        return known;
    }

    /// <summary>Writes what has changed, so that queries of this transaction see it.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await db.SaveChangesAsync(cancellationToken);
        unwritten = false;
        Forget();
    }

    /// <summary>As <see cref="FlushAsync"/>, should anything be asked for that would have to see what has changed.</summary>
    public void FlushLater()
    {
        unwritten = true;
        Forget();
    }

    /// <summary>Before a query that must see what was left for later.</summary>
    public Task SeeAsync(CancellationToken cancellationToken) => unwritten ? FlushAsync(cancellationToken) : Task.CompletedTask;

    private void Forget()
    {
        backed.Clear();
        directories.Clear();
        if (workersChanged)
            set = null;
    }

    public void Add(PoolRow pool)
    {
        db.Pools.Add(pool);
        pools[pool.Id] = pool;
        // No more than two of a name are told apart, see PoolsOfNameAsync.
        foreach (var named in new[] { (pool.Host, pool.Name), ((string?)null, pool.Name) })
            if (names.TryGetValue(named, out var ids) && ids.Count < 2)
                names[named] = [.. ids, pool.Id];
    }

    public void Add(VolumeRow volume)
    {
        db.Volumes.Add(volume);
        volumes[(volume.PoolId, volume.Name)] = volume;
    }

    public void Add(WorkerRow worker)
    {
        db.Workers.Add(worker);
        workers[(worker.Host, worker.Family)] = worker;
    }

    /// <summary>Forgets a pool with everything in it.</summary>
    public async Task RemoveAsync(PoolRow pool, CancellationToken cancellationToken)
    {
        // With those that the database has not seen yet.
        foreach (var key in volumes.Keys.Where(key => key.Pool == pool.Id).ToList())
        {
            if (volumes[key] is { } row)
                db.Entry(row).State = EntityState.Detached;
            volumes[key] = null;
        }
        await db.Volumes.Where(row => row.PoolId == pool.Id).ExecuteDeleteAsync(cancellationToken);
        db.Pools.Remove(pool);
        await FlushAsync(cancellationToken);
        pools[pool.Id] = null;
        names.Remove((pool.Host, pool.Name));
        names.Remove((null, pool.Name));
    }
}
