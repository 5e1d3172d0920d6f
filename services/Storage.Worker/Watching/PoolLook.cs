using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Looks at what has changed in a watched pool, on the pool's lane, and makes the events of it. A revision is taken before the look, so that a
/// command that changes the same thing meanwhile has the later word.
/// </summary>
internal sealed class PoolLook(PoolLanes lanes, HostEvents events)
{
    /// <returns>What is there now under these names.</returns>
    /// <exception cref="StorageException">It could not be looked at.</exception>
    public async Task<(long Revision, VolumesSeen Seen)> VolumesAsync(WatchedPool pool, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var revision = events.NextRevision();
        List<VolumeDefinition> there = [];
        List<string> gone = [];
        if (await lanes.RunAsync(pool.Definition, ReadAsync, frees: false, cancellationToken) is { } unanswered)
            throw new StorageException(unanswered);
        return (revision, new VolumesSeen(pool.Id, there, gone));

        async Task ReadAsync(CancellationToken token)
        {
            foreach (var name in names)
            {
                token.ThrowIfCancellationRequested();
                if (await pool.Backend.ReadVolumeAsync(pool.Definition, name, token) is { } volume)
                    there.Add(volume);
                else
                    gone.Add(name);
            }
        }
    }

    public StorageEvent Event(WatchedPool pool, long revision, VolumesSeen seen) =>
        events.Create(Resources.Pool(pool.Id), seen, EventCause.External, revision: revision);

    /// <summary>More has changed than is told name by name.</summary>
    public StorageEvent RefreshWanted(WatchedPool pool, string reason) =>
        events.Create(Resources.Pool(pool.Id), new PoolRefreshWanted(pool.Id, reason), EventCause.External);

    /// <summary>What it means that the directory is no longer where it was: the pool is inaccessible, or another directory is in its place.</summary>
    public async Task<StorageEvent> StateAsync(WatchedPool pool, CancellationToken cancellationToken)
    {
        var revision = events.NextRevision();
        StorageError? problem = null;
        try
        {
            problem = await lanes.RunAsync(
                pool.Definition,
                async token => problem = await pool.Backend.CheckAsync(pool.Definition, token) is PoolState.Running or PoolState.Degraded
                    ? null
                    : PoolHandlers.Unusable(pool.Definition),
                frees: false, cancellationToken) ?? problem;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            problem = RunErrors.Of(e);
        }
        return problem is null
            ? RefreshWanted(pool, "Its directory was exchanged for another one.")
            : events.Create(
                Resources.Pool(pool.Id), new PoolStateChanged(pool.Id, PoolState.Inaccessible, problem.Message), EventCause.External, revision: revision);
    }
}
