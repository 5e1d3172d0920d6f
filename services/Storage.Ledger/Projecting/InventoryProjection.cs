using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// What the events mean for pools, volumes and workers. The same rules make the live tables and rebuild them from the log, so they
/// depend on nothing but the event and the rows. An event older than what a row knows changes nothing.
/// </summary>
public static class InventoryProjection
{
    /// <returns>Whether anything was applied; false for a late event, or one about something that is not known.</returns>
    public static Task<bool> ApplyAsync(InventoryState state, StorageEvent entry, CancellationToken cancellationToken) =>
        ApplyAsync(state, entry, ToldVolume.Of(entry), cancellationToken);

    /// <param name="told">The volume that the event says is so now.</param>
    /// <inheritdoc cref="ApplyAsync(InventoryState, StorageEvent, CancellationToken)"/>
    internal static Task<bool> ApplyAsync(InventoryState state, StorageEvent entry, ToldVolume? told, CancellationToken cancellationToken) =>
        told is not null ? VolumeAsync(state, entry, told, cancellationToken) : ApplyOtherAsync(state, entry, cancellationToken);

    private static Task<bool> ApplyOtherAsync(InventoryState state, StorageEvent entry, CancellationToken cancellationToken) => entry.Type switch
    {
        nameof(PoolDefined) => DefineAsync(state, entry, entry.Read<PoolDefined>(), cancellationToken),
        nameof(PoolUndefined) => UndefineAsync(state, entry, cancellationToken),
        nameof(PoolAutostartSet) => OnPoolAsync(state, entry, pool => pool.Autostart = entry.Read<PoolAutostartSet>().Autostart, cancellationToken),
        nameof(PoolBuilt) => OnPoolAsync(state, entry, pool => pool.Problem = null, cancellationToken),
        nameof(PoolStarted) => OnPoolAsync(state, entry, pool => Observe(pool, entry, entry.Read<PoolStarted>().Observation), cancellationToken),
        nameof(PoolRefreshed) => OnPoolAsync(state, entry, pool => Observe(pool, entry, entry.Read<PoolRefreshed>().Observation), cancellationToken),
        nameof(PoolSpaceChanged) => OnPoolAsync(state, entry, pool => ChangeSpace(pool, entry.Read<PoolSpaceChanged>()), cancellationToken),
        nameof(PoolStopped) => OnPoolAsync(state, entry, pool => Stop(pool, null), cancellationToken),
        nameof(PoolDeleted) => OnPoolAsync(state, entry, pool => pool.Problem = null, cancellationToken),
        nameof(PoolStateChanged) => OnPoolAsync(state, entry, pool => ChangeState(pool, entry.Read<PoolStateChanged>()), cancellationToken),
        nameof(VolumeDeleted) => RemoveVolumeAsync(state, entry, entry.Read<VolumeDeleted>().Name, cancellationToken),
        nameof(VolumeVanished) => RemoveVolumeAsync(state, entry, entry.Read<VolumeVanished>().Name, cancellationToken),
        nameof(WorkerAnnounced) => AnnounceAsync(state, entry, entry.Read<WorkerAnnounced>().Announcement, cancellationToken),
        nameof(WorkerLost) => LoseAsync(state, entry, entry.Read<WorkerLost>(), cancellationToken),
        _ => Task.FromResult(false),
    };

    private static async Task<bool> DefineAsync(
        InventoryState state, StorageEvent entry, PoolDefined defined, CancellationToken cancellationToken)
    {
        var definition = Json(defined.Definition);
        var pool = await state.PoolAsync(defined.PoolId, cancellationToken);
        if (pool is null)
        {
            state.Add(new PoolRow
            {
                Id = defined.PoolId,
                Name = defined.Name,
                Host = defined.Host,
                Type = defined.Definition.Type,
                Definition = definition,
                Version = defined.Version,
                Persistent = defined.Persistent,
                Autostart = defined.Autostart,
                Revision = entry.Revision,
            });
            return true;
        }
        if (entry.Revision <= pool.Revision)
            return false;
        pool.Revision = entry.Revision;
        pool.Version = defined.Version;
        pool.Persistent = defined.Persistent;
        pool.Autostart = defined.Autostart;
        if (pool.Active)
        {
            pool.NextDefinition = definition;
        }
        else
        {
            Redefine(pool, definition, defined.Definition.Type);
        }
        return true;
    }

    private static async Task<bool> UndefineAsync(InventoryState state, StorageEvent entry, CancellationToken cancellationToken)
    {
        var pool = await state.PoolAsync(entry.Read<PoolUndefined>().PoolId, cancellationToken);
        if (pool is null || entry.Revision <= pool.Revision)
            return false;
        await state.RemoveAsync(pool, cancellationToken);
        return true;
    }

    private static async Task<bool> OnPoolAsync(
        InventoryState state, StorageEvent entry, Action<PoolRow> apply, CancellationToken cancellationToken)
    {
        if (Resources.PoolOf(entry.Resource) is not { } id
            || await state.PoolAsync(id, cancellationToken) is not { } pool
            || entry.Revision <= pool.Revision)
            return false;
        pool.Revision = entry.Revision;
        apply(pool);
        return true;
    }

    private static void Observe(PoolRow pool, StorageEvent entry, PoolObservation seen)
    {
        pool.State = seen.State;
        pool.Problem = seen.Problem;
        pool.Capacity = seen.Capacity;
        pool.Allocation = seen.Allocation;
        pool.Available = seen.Available;
        pool.Permissions = seen.Permissions is null ? null : Json(seen.Permissions);
        pool.FreeExtents = seen.FreeExtents is null ? null : Json(seen.FreeExtents);
        pool.ObservedAt = entry.OccurredAt;
        pool.Watched = seen.Watched;
        pool.Directory = seen.Directory;
    }

    /// <summary>
    /// Of a pool that has stopped meanwhile, the figures are those of whatever is at its path now. When the pool was seen stays: its volumes
    /// were not looked at.
    /// </summary>
    private static void ChangeSpace(PoolRow pool, PoolSpaceChanged seen)
    {
        if (!pool.Active)
            return;
        (pool.Capacity, pool.Allocation, pool.Available) = (seen.Capacity, seen.Allocation, seen.Available);
        pool.FreeExtents = seen.FreeExtents is null ? null : Json(seen.FreeExtents);
    }

    private static void ChangeState(PoolRow pool, PoolStateChanged change)
    {
        pool.Watched = false;
        if (change.State is PoolState.Inactive)
            Stop(pool, change.Reason);
        pool.State = change.State;
        pool.Problem = change.Reason;
    }

    private static void Stop(PoolRow pool, string? problem)
    {
        pool.State = PoolState.Inactive;
        pool.Watched = false;
        pool.FreeExtents = null;
        pool.Problem = problem;
        if (pool.NextDefinition is not { } next)
            return;
        Redefine(pool, next, JsonSerializer.Deserialize<PoolDefinition>(next, StorageJson.Options)!.Type);
        pool.NextDefinition = null;
    }

    /// <summary>Where its volumes are from now on, nobody has seen.</summary>
    private static void Redefine(PoolRow pool, string definition, PoolType type) =>
        (pool.Definition, pool.Type, pool.Directory) = (definition, type, null);

    private static async Task<bool> VolumeAsync(InventoryState state, StorageEvent entry, ToldVolume told, CancellationToken cancellationToken)
    {
        var seen = told.Seen;
        if (Resources.PoolOf(entry.Resource) is not { } pool || await state.PoolAsync(pool, cancellationToken) is not { Directory: var directory })
            return false;
        var volume = await state.VolumeAsync(pool, seen.Name, cancellationToken);
        if (volume is not null && entry.Revision <= volume.Revision)
            return false;
        if (volume is null)
            state.Add(volume = new VolumeRow { PoolId = pool, Name = seen.Name, Document = "" });
        volume.Removed = false;
        volume.Key = seen.Key;
        volume.Path = seen.Path;
        volume.Type = seen.Type ?? VolumeKind.File;
        volume.Format = seen.Format;
        volume.BackingPath = BackingVolumes.PathOf(seen, directory);
        volume.Capacity = seen.Capacity ?? 0;
        volume.Allocation = seen.Allocation ?? 0;
        volume.Physical = seen.Physical ?? 0;
        volume.Document = told.Document;
        volume.Digest = told.Digest;
        volume.Problem = seen.Problem;
        volume.ObservedAt = entry.OccurredAt;
        volume.Revision = entry.Revision;
        return true;
    }

    private static async Task<bool> RemoveVolumeAsync(
        InventoryState state, StorageEvent entry, string name, CancellationToken cancellationToken)
    {
        if (Resources.PoolOf(entry.Resource) is not { } pool || await state.PoolAsync(pool, cancellationToken) is null)
            return false;
        var volume = await state.VolumeAsync(pool, name, cancellationToken);
        if (volume is not null && entry.Revision <= volume.Revision)
            return false;
        if (volume is null)
            state.Add(volume = new VolumeRow { PoolId = pool, Name = name, Document = "{}" });
        volume.Removed = true;
        volume.ObservedAt = entry.OccurredAt;
        volume.Revision = entry.Revision;
        return true;
    }

    private static async Task<bool> AnnounceAsync(
        InventoryState state, StorageEvent entry, WorkerAnnouncement said, CancellationToken cancellationToken)
    {
        var worker = await state.WorkerAsync(said.Host, said.Family, cancellationToken);
        if (worker is not null && entry.Revision <= worker.Revision)
            return false;
        await state.ChangeWorkersAsync(cancellationToken);
        if (worker is null)
            state.Add(worker = new WorkerRow { Host = said.Host, Family = said.Family, Announcement = "" });
        worker.Instance = said.Instance;
        worker.Announcement = Json(said);
        worker.StartedAt = said.StartedAt;
        worker.LastSeenAt = entry.OccurredAt;
        worker.Lost = false;
        worker.Revision = entry.Revision;
        return true;
    }

    private static async Task<bool> LoseAsync(
        InventoryState state, StorageEvent entry, WorkerLost lost, CancellationToken cancellationToken)
    {
        var worker = await state.WorkerAsync(lost.Host, lost.Family, cancellationToken);
        if (worker is null || entry.Revision <= worker.Revision)
            return false;
        await state.ChangeWorkersAsync(cancellationToken);
        worker.Lost = true;
        worker.Revision = entry.Revision;
        return true;
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, StorageJson.Options);
}
