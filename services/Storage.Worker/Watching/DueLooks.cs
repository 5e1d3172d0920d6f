using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// The watched pools that are to be looked at: each is when its time has come and nothing holds it, and what was seen is reported, without
/// what runs have begun to change meanwhile. Used under the lock of its <see cref="PoolWatcher"/>, which is its own as well; looks are outside it.
/// </summary>
/// <param name="now">A clock that only goes forward.</param>
internal sealed class DueLooks(
    Lock gate, PoolWatches watches, PoolLook look, Reporter reporter, PoolSpaces spaces, Func<TimeSpan> now, ILogger log, CancellationToken stopping) : IDisposable
{
    private const int NamesPerLook = 200;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<Guid, int> held = [];
    private readonly HashSet<WatchedPool> pending = [];
    private readonly SemaphoreSlim wake = new(0);

    /// <summary>Something of the pool is to be looked at when it is due.</summary>
    public void Add(WatchedPool pool)
    {
        if (pending.Add(pool) && pending.Count == 1 && !stopping.IsCancellationRequested)
            wake.Release();
    }

    /// <summary>Anything in the pool may have changed.</summary>
    public void AddAll(WatchedPool pool)
    {
        pool.Changes.AddAll(now());
        Add(pool);
    }

    public void Remove(WatchedPool pool) => pending.Remove(pool);

    /// <summary>A run is about the pool as a whole: nothing of it is looked at before the <see cref="Release"/>.</summary>
    public void Hold(Guid pool) => held[pool] = held.GetValueOrDefault(pool) + 1;

    public void Release(Guid pool)
    {
        if (--held[pool] == 0)
            held.Remove(pool);
    }

    /// <summary>Looks at what is due, as long as something is; else sleeps until something changes.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (true)
                await wake.WaitAsync(StartDue() ? Pace : Timeout.InfiniteTimeSpan, stopping);
        }
        catch (OperationCanceledException)
        {
            // The worker stops.
        }
    }

    public void Dispose() => wake.Dispose();

    /// <returns>Whether anything waits for its time.</returns>
    private bool StartDue()
    {
        lock (gate)
        {
            var at = now();
            foreach (var pool in pending)
            {
                if (pool.Looking || held.ContainsKey(pool.Id))
                    continue;
                if (pool.LostAt is { } lost)
                {
                    if (at - lost >= ChangedNames.Quiet)
                        Start(pool, LookAtStateAsync);
                }
                else if (pool.Changes.Due() is not { } due)
                {
                    pending.Remove(pool);
                }
                else if (due <= at)
                {
                    var names = pool.Changes.Take(at);
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
            await reporter.ReportAsync(look.RefreshWanted(pool, "More has changed than is told one by one."), stopping);
            return;
        }
        foreach (var some in names.Chunk(NamesPerLook))
        {
            var (revision, seen) = await look.VolumesAsync(pool, some, stopping);
            if (Undisturbed(pool, seen) is not { } told)
                return;
            if (told.Volumes.Count + told.Gone.Count > 0)
                await reporter.ReportAsync(look.Event(pool, revision, told), stopping);
        }
        spaces.Changed(pool.Definition);
    }

    private async Task LookAtStateAsync(WatchedPool pool)
    {
        var state = await look.StateAsync(pool, stopping);
        lock (gate)
        {
            // It was stopped, or refreshed and so watched again, meanwhile.
            if (pool.LostAt is null || !watches.Has(pool))
                return;
            watches.Remove(pool.Id);
            Remove(pool);
        }
        await reporter.ReportAsync(state, stopping);
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
                pool.Changes.Again(name, now());
            return seen with
            {
                Volumes = [.. seen.Volumes.Where(volume => !pool.Disturbed.Contains(volume.Name))],
                Gone = [.. seen.Gone.Where(name => !pool.Disturbed.Contains(name))],
            };
        }
    }
}
