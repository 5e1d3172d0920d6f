using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Which pools are watched, and by which watch of the kernel: pools at one directory share it. Used under the lock of its <see cref="PoolWatcher"/>.</summary>
/// <param name="hear">Called on the thread of the watches.</param>
internal sealed class PoolWatches(Action<DirectoryChange> hear, ILogger log)
{
    private readonly Dictionary<Guid, WatchedPool> pools = [];
    private readonly Dictionary<int, HashSet<WatchedPool>> byWatch = [];
    private DirectoryWatches? directories;
    private bool limitTold;
    private bool closed;

    public IReadOnlyCollection<WatchedPool> Pools => pools.Values;

    public WatchedPool? Find(Guid id) => pools.GetValueOrDefault(id);

    /// <summary>It has been neither stopped nor begun anew.</summary>
    public bool Has(WatchedPool pool) => Find(pool.Id) == pool;

    public IReadOnlyCollection<WatchedPool> Of(int watch) => byWatch.TryGetValue(watch, out var watching) ? watching : [];

    /// <summary>Watches a directory that is open, so that no file system is asked. Null where the kernel gives no watch: told once.</summary>
    public int? TryAdd(LocalDirectory directory)
    {
        if (closed)
            return null;
        directories ??= DirectoryWatches.TryOpen(hear);
        if (directories is null)
        {
            TellLimit("fs.inotify.max_user_instances");
            return null;
        }
        var watch = directories.Add(directory);
        if (watch >= 0)
            return watch;
        TellLimit("fs.inotify.max_user_watches");
        return null;
    }

    public void Keep(PoolDefinition definition, IPoolBackend backend, int watch)
    {
        var id = definition.Uuid!.Value;
        if (!pools.TryGetValue(id, out var pool))
            pools[id] = pool = new WatchedPool(id) { Definition = definition, Backend = backend };
        if (pool.Watch != watch)
            End(pool);
        (pool.Definition, pool.Backend, pool.Watch, pool.LostAt) = (definition, backend, watch, null);
        if (!byWatch.TryGetValue(watch, out var watching))
            byWatch[watch] = watching = [];
        watching.Add(pool);
    }

    public WatchedPool? Remove(Guid id)
    {
        if (pools.Remove(id, out var pool))
            End(pool);
        return pool;
    }

    /// <summary>Ends the watch of a pool, which stays here until it is known what has become of it.</summary>
    public void End(WatchedPool pool)
    {
        if (pool.Watch is not { } watch)
            return;
        pool.Watch = null;
        if (!byWatch.TryGetValue(watch, out var watching) || !watching.Remove(pool) || watching.Count > 0)
            return;
        byWatch.Remove(watch);
        directories?.Remove(watch);
    }

    /// <returns>What is to be disposed of outside the lock, for which its thread may wait.</returns>
    public IDisposable? Close()
    {
        closed = true;
        pools.Clear();
        byWatch.Clear();
        return directories;
    }

    private void TellLimit(string setting)
    {
        if (limitTold)
            return;
        limitTold = true;
        WorkerLog.NotWatched(log, HostErrors.Text(HostErrors.Last), setting);
    }
}
