using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Looks every few seconds at volumes of started pools that fill up by what guests write to others (<see cref="IFillingVolumes"/>), of which no
/// command and no kernel tells, and reports those that have changed. A pool without any is looked at again after its next refresh or change.
/// </summary>
public sealed class FillingVolumes(
    PoolBackends backends, PoolLanes lanes, Reporter reporter, HostEvents events, TimeProvider time, ILogger log, CancellationToken stopping)
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Known> pools = [];
    private bool looking;

    /// <summary>A run has ended, and this became true by it.</summary>
    public void Hear(PoolDefinition? pool, IReadOnlyList<StorageEvent> happened)
    {
        if (pool?.Uuid is not { } id || backends.Find<IFillingVolumes>(pool.Type) is not { } backend)
            return;
        lock (gate)
        {
            foreach (var entry in happened)
            {
                if (entry.Type is nameof(PoolStopped) or nameof(PoolStateChanged) or nameof(PoolDeleted))
                    pools.Remove(id);
                else if (entry.Type is nameof(PoolStarted) or nameof(PoolRefreshed) || pools.ContainsKey(id))
                    pools[id] = new Known(pool, backend, pools.GetValueOrDefault(id));
            }
            if (looking || pools.Count == 0)
                return;
            looking = true;
        }
        _ = Task.Run(LookAsync, CancellationToken.None);
    }

    private async Task LookAsync()
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                List<Known> due;
                lock (gate)
                    due = [.. pools.Values.Where(known => !known.HasNone)];
                foreach (var known in due)
                    await LookAsync(known);
            }
        }
        catch (OperationCanceledException)
        {
            // The worker stops.
        }
    }

    private async Task LookAsync(Known known)
    {
        try
        {
            // Before the look: who changes one of them meanwhile has the later word.
            var revision = events.NextRevision();
            IReadOnlyList<VolumeDefinition> seen = [];
            if (await lanes.RunAsync(known.Pool, async token => seen = await known.Backend.ReadFillingAsync(known.Pool, token), frees: false, stopping) is not null)
                return;
            var changed = known.See(seen);
            if (changed.Count > 0)
                await reporter.ReportAsync(events.Create(
                    Resources.Pool(known.Pool.Uuid!.Value), new VolumesSeen(known.Pool.Uuid.Value, changed, []), EventCause.External, revision: revision), stopping);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            // The next look, or the next refresh, tells it.
            WorkerLog.SpaceNotSeen(log, e, known.Pool.Name);
        }
    }

    /// <param name="before">What was known until a run changed something, which may have been told otherwise since.</param>
    private sealed class Known(PoolDefinition pool, IFillingVolumes backend, Known? before)
    {
        private Dictionary<string, (int Data, int Metadata)?> told = before?.told.Keys.ToDictionary(name => name, _ => ((int, int)?)null) ?? [];

        public PoolDefinition Pool { get; } = pool;

        public IFillingVolumes Backend { get; } = backend;

        public bool HasNone { get; private set; }

        /// <returns>Those to be told. One that is seen for the first time is not: it may be just being made.</returns>
        public List<VolumeDefinition> See(IReadOnlyList<VolumeDefinition> seen)
        {
            List<VolumeDefinition> changed = [.. seen.Where(volume => told.TryGetValue(volume.Name, out var last) && last != Percents(volume))];
            HasNone = seen.Count == 0;
            told = seen.ToDictionary(volume => volume.Name, volume => told.ContainsKey(volume.Name) ? Percents(volume) : ((int, int)?)null);
            return changed;
        }

        /// <summary>Whole ones: guests write all the time.</summary>
        private static (int Data, int Metadata) Percents(VolumeDefinition volume) => ((int)(volume.Layout?.DataPercent ?? 0), (int)(volume.Layout?.MetadataPercent ?? 0));
    }
}
