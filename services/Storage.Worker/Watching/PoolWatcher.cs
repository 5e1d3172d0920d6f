using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Hears from the kernel what others change in the directories of started pools, and reports it. A pool is watched from each start or
/// refresh in this process until it stops. What our own runs do is not told here: their names are put off until their outcome is on its
/// way, and by then hold nothing new.
/// </summary>
public sealed class PoolWatcher : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly PoolWatches watches;
    private readonly DueLooks looks;
    private readonly CancellationTokenSource stopping;
    private readonly WorkerMetrics metrics;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly Task loop;

    public PoolWatcher(
        PoolLanes lanes, Reporter reporter, HostEvents events, PoolSpaces spaces, WorkerMetrics metrics, TimeProvider time, ILogger log, CancellationToken stopping)
    {
        (this.metrics, this.time, started) = (metrics, time, time.GetTimestamp());
        this.stopping = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        watches = new PoolWatches(Hear, log);
        looks = new DueLooks(gate, watches, new PoolLook(lanes, events), reporter, spaces, () => Now, log, this.stopping.Token);
        loop = Task.Run(looks.RunAsync, CancellationToken.None);
    }

    /// <summary>The pools that are being watched.</summary>
    public int Watched
    {
        get
        {
            lock (gate)
                return watches.Pools.Count(pool => pool.Watch is not null);
        }
    }

    private TimeSpan Now => time.GetElapsedTime(started);

    /// <summary>
    /// Watches a pool, or goes on with it. Called on the pool's lane before it is listed, so that what changes meanwhile is heard. False
    /// where it cannot be watched: its changes are found by refreshing it.
    /// </summary>
    public bool Watch(PoolDefinition definition, IWatchedPool backend)
    {
        try
        {
            using var directory = LocalDirectory.Open(backend.WatchedDirectory(definition));
            if (!FileSystemKind.IsShared(directory))
            {
                lock (gate)
                {
                    if (watches.TryAdd(directory) is { } watch)
                    {
                        watches.Keep(definition, backend, watch);
                        return true;
                    }
                }
            }
        }
        catch (StorageException)
        {
            // Whoever lists the directory next says what is wrong with it.
        }
        Unwatch(definition.Uuid!.Value);
        return false;
    }

    /// <summary>Watches a pool no longer. One that is not watched stays so.</summary>
    public void Unwatch(Guid id)
    {
        lock (gate)
        {
            if (watches.Remove(id) is { } pool)
                looks.Remove(pool);
        }
    }

    /// <summary>What changed while the pool was not watched is found by a refresh.</summary>
    public void WantRefresh(Guid id)
    {
        lock (gate)
        {
            if (watches.Find(id) is { } pool)
                looks.AddAll(pool);
        }
    }

    /// <summary>Puts off what the run changes until the hold is disposed of, which is when its outcome was handed to the <see cref="Reporter"/>.</summary>
    public IDisposable? Hold(OperationRun operation)
    {
        if (operation.Pool?.Uuid is not { } id)
            return null;
        var names = RunNames.Of(operation);
        lock (gate)
        {
            if (names is null)
            {
                looks.Hold(id);
                return new Release(() => End(id));
            }
            if (watches.Find(id) is not { } pool)
                return null;
            pool.Changes.Begin(names);
            if (pool.Looking)
                pool.Disturbed.UnionWith(names);
            return new Release(() => End(pool, names));
        }
    }

    /// <summary>Hears nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await loop;
        IDisposable? last;
        lock (gate)
            last = watches.Close();
        last?.Dispose();
        looks.Dispose();
        stopping.Dispose();
    }

    /// <summary>On the thread of the watches.</summary>
    private void Hear(DirectoryChange change)
    {
        lock (gate)
        {
            if (change.What.HasFlag(DirectoryEvents.Overflow))
            {
                metrics.WatchOverflowed();
                foreach (var pool in watches.Pools)
                    looks.AddAll(pool);
                return;
            }
            metrics.WatchHeard();
            var watching = watches.Of(change.Watch);
            if ((change.What & DirectoryEvents.Self) != 0)
            {
                foreach (var pool in watching.ToList())
                {
                    watches.End(pool);
                    pool.LostAt ??= Now;
                    looks.Add(pool);
                }
                return;
            }
            if (change.Name is not { } name || VolumeName.IsTemporary(name))
                return;
            foreach (var pool in watching)
            {
                pool.Changes.Add(name, Now);
                looks.Add(pool);
            }
        }
    }

    private void End(Guid id)
    {
        lock (gate)
            looks.Release(id);
    }

    private void End(WatchedPool pool, IReadOnlyList<string> names)
    {
        lock (gate)
        {
            pool.Changes.End(names, Now);
            if (watches.Has(pool) && pool.Changes.Due() is not null)
                looks.Add(pool);
        }
    }

    private sealed class Release(Action end) : IDisposable
    {
        private Action? end = end;

        public void Dispose() => Interlocked.Exchange(ref end, null)?.Invoke();
    }
}
