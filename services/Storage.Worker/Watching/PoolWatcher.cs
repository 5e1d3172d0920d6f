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
    private const int NamesPerLook = 200;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly PoolWatches watches;
    private readonly Dictionary<Guid, int> held = [];
    private readonly HashSet<WatchedPool> pending = [];
    private readonly SemaphoreSlim wake = new(0);
    private readonly CancellationTokenSource stopping;
    private readonly PoolLook look;
    private readonly Reporter reporter;
    private readonly WorkerMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly long started;
    private readonly Task loop;

    public PoolWatcher(
        PoolLanes lanes, Reporter reporter, HostEvents events, WorkerMetrics metrics, TimeProvider time, ILogger log, CancellationToken stopping)
    {
        (this.reporter, this.metrics, this.time, this.log) = (reporter, metrics, time, log);
        this.stopping = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        watches = new PoolWatches(Hear, log);
        look = new PoolLook(lanes, events);
        started = time.GetTimestamp();
        loop = Task.Run(RunAsync, CancellationToken.None);
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
            if (!directory.IsShared)
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
                pending.Remove(pool);
        }
    }

    /// <summary>What changed while the pool was not watched is found by a refresh.</summary>
    public void WantRefresh(Guid id)
    {
        lock (gate)
        {
            if (watches.Find(id) is { } pool)
                AddAll(pool);
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
                held[id] = held.GetValueOrDefault(id) + 1;
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
        wake.Dispose();
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
                    AddAll(pool);
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
                    Pend(pool);
                }
                return;
            }
            if (change.Name is not { } name || VolumeName.IsTemporary(name))
                return;
            foreach (var pool in watching)
            {
                pool.Changes.Add(name, Now);
                Pend(pool);
            }
        }
    }

    private void AddAll(WatchedPool pool)
    {
        pool.Changes.AddAll(Now);
        Pend(pool);
    }

    private void Pend(WatchedPool pool)
    {
        if (pending.Add(pool) && pending.Count == 1 && !stopping.IsCancellationRequested)
            wake.Release();
    }

    private void End(Guid id)
    {
        lock (gate)
        {
            if (--held[id] == 0)
                held.Remove(id);
        }
    }

    private void End(WatchedPool pool, IReadOnlyList<string> names)
    {
        lock (gate)
        {
            pool.Changes.End(names, Now);
            if (watches.Has(pool) && pool.Changes.Due() is not null)
                Pend(pool);
        }
    }

    /// <summary>Looks at what is due, as long as something is; else sleeps until something changes.</summary>
    private async Task RunAsync()
    {
        try
        {
            while (true)
                await wake.WaitAsync(StartDue() ? Pace : Timeout.InfiniteTimeSpan, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The worker stops.
        }
    }

    /// <returns>Whether anything waits for its time.</returns>
    private bool StartDue()
    {
        lock (gate)
        {
            var now = Now;
            foreach (var pool in pending)
            {
                if (pool.Looking || held.ContainsKey(pool.Id))
                    continue;
                if (pool.LostAt is { } lost)
                {
                    if (now - lost >= ChangedNames.Quiet)
                        Start(pool, LookAtStateAsync);
                }
                else if (pool.Changes.Due() is not { } due)
                {
                    pending.Remove(pool);
                }
                else if (due <= now)
                {
                    var names = pool.Changes.Take(now);
                    Start(pool, changed => LookAsync(changed, names));
                }
            }
            return pending.Count > 0;
        }
    }

    private void Start(WatchedPool pool, Func<WatchedPool, Task> start)
    {
        pool.Looking = true;
        pool.Disturbed.Clear();
        _ = Task.Run(async () =>
        {
            try
            {
                await start(pool);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                // The next process refreshes its pools.
            }
            catch (Exception e)
            {
                WorkerLog.WatchedLookFailed(log, e, pool.Definition.Name);
                lock (gate)
                    AddAll(pool);
            }
            finally
            {
                lock (gate)
                    pool.Looking = false;
            }
        });
    }

    private async Task LookAsync(WatchedPool pool, IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            await reporter.ReportAsync(look.RefreshWanted(pool, "More has changed than is told one by one."), stopping.Token);
            return;
        }
        foreach (var some in names.Chunk(NamesPerLook))
        {
            var (revision, seen) = await look.VolumesAsync(pool, some, stopping.Token);
            if (Undisturbed(pool, seen) is not { } told)
                return;
            if (told.Volumes.Count + told.Gone.Count > 0)
                await reporter.ReportAsync(look.Event(pool, revision, told), stopping.Token);
        }
    }

    private async Task LookAtStateAsync(WatchedPool pool)
    {
        var state = await look.StateAsync(pool, stopping.Token);
        lock (gate)
        {
            // It was stopped, or refreshed and so watched again, meanwhile.
            if (pool.LostAt is null || !watches.Has(pool))
                return;
        }
        Unwatch(pool.Id);
        await reporter.ReportAsync(state, stopping.Token);
    }

    /// <summary>Without what runs have begun to change since the look began: that is looked at again after them. Null where the pool was stopped.</summary>
    private VolumesSeen? Undisturbed(WatchedPool pool, VolumesSeen seen)
    {
        lock (gate)
        {
            if (!watches.Has(pool))
                return null;
            if (pool.Disturbed.Count == 0)
                return seen;
            foreach (var name in seen.Volumes.Select(volume => volume.Name).Concat(seen.Gone).Where(pool.Disturbed.Contains))
                pool.Changes.Again(name, Now);
            return seen with
            {
                Volumes = [.. seen.Volumes.Where(volume => !pool.Disturbed.Contains(volume.Name))],
                Gone = [.. seen.Gone.Where(name => !pool.Disturbed.Contains(name))],
            };
        }
    }

    private sealed class Release(Action end) : IDisposable
    {
        private Action? end = end;

        public void Dispose() => Interlocked.Exchange(ref end, null)?.Invoke();
    }
}
