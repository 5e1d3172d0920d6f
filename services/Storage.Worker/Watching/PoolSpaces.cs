using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Tells how full pools are after their volumes have changed: at once, and while they go on changing once a second. Figures that were told
/// already, by a refresh too, are not told again.
/// </summary>
public sealed class PoolSpaces(
    PoolBackends backends, PoolLanes lanes, Reporter reporter, HostEvents events, TimeProvider time, ILogger log, CancellationToken stopping)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Known> pools = [];

    /// <summary>A run has ended, and this became true by it.</summary>
    public void Hear(PoolDefinition? pool, IReadOnlyList<StorageEvent> happened)
    {
        if (pool?.Uuid is not { } id)
            return;
        foreach (var entry in happened)
        {
            switch (entry.Type)
            {
                case nameof(PoolStarted):
                    Told(id, entry.Read<PoolStarted>().Observation);
                    break;
                case nameof(PoolRefreshed):
                    Told(id, entry.Read<PoolRefreshed>().Observation);
                    break;
                case nameof(PoolStopped) or nameof(PoolStateChanged):
                    Forget(id);
                    break;
            }
        }
        if (happened.Any(entry => Resources.VolumeOf(entry.Resource) is not null))
            Changed(pool);
    }

    /// <summary>Volumes of the pool have changed.</summary>
    public void Changed(PoolDefinition pool)
    {
        if (backends.Find<IPoolSpace>(pool.Type) is not { } backend)
            return;
        Known known;
        lock (gate)
        {
            if (!pools.TryGetValue(pool.Uuid!.Value, out known!))
                pools[pool.Uuid.Value] = known = new Known();
            known.Changed = true;
            if (known.Looking)
                return;
            known.Looking = true;
        }
        _ = Task.Run(() => LookAsync(pool, backend, known), CancellationToken.None);
    }

    private void Told(Guid pool, PoolObservation seen)
    {
        lock (gate)
        {
            if (!pools.TryGetValue(pool, out var known))
                pools[pool] = known = new Known();
            known.Told = new PoolSpace(seen.Capacity, seen.Allocation, seen.Available, seen.FreeExtents);
        }
    }

    private void Forget(Guid pool)
    {
        lock (gate)
            pools.Remove(pool);
    }

    /// <summary>Looks as long as something has changed since the last look began.</summary>
    private async Task LookAsync(PoolDefinition pool, IPoolSpace backend, Known known)
    {
        while (true)
        {
            lock (gate)
            {
                if (!known.Changed)
                {
                    known.Looking = false;
                    return;
                }
                known.Changed = false;
            }
            try
            {
                await TellAsync(pool, backend, known);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The next change, or the next refresh, tells it.
                WorkerLog.SpaceNotSeen(log, e, pool.Name);
            }
            try
            {
                await Task.Delay(Pause, time, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task TellAsync(PoolDefinition pool, IPoolSpace backend, Known known)
    {
        var id = pool.Uuid!.Value;
        // Before the look: who stops or refreshes the pool meanwhile has the later word.
        var revision = events.NextRevision();
        PoolSpace? seen = null;
        var unanswered = await lanes.RunAsync(
            pool,
            async token => seen = await backend.ReadSpaceAsync(pool, token),
            frees: false, stopping);
        lock (gate)
        {
            if (unanswered is not null || seen is null || seen.IsSame(known.Told))
                return;
            known.Told = seen;
        }
        await reporter.ReportAsync(
            events.Create(
                Resources.Pool(id), new PoolSpaceChanged(id, seen.Capacity, seen.Allocation, seen.Available, seen.FreeExtents), EventCause.System, revision: revision),
            stopping);
    }

    /// <summary>What was told of one pool, and whether that is to be looked at again; under the lock.</summary>
    private sealed class Known
    {
        public PoolSpace? Told { get; set; }

        public bool Changed { get; set; }

        public bool Looking { get; set; }
    }
}
