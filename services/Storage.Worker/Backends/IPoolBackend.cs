using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// One pool type on this host: the part that every type has. What else a type can do is said by the small roles beside it
/// (<see cref="IPoolBuilder"/>, <see cref="IVolumeCreator"/>, …). Backends hold no state and no definitions: everything they need
/// comes with the call. They report failure by <see cref="StorageException"/>. They are called on a thread of the pool's own and may
/// block it; their awaits come back to it, without <c>ConfigureAwait(false)</c>.
/// </summary>
public interface IPoolBackend
{
    PoolType Type { get; }

    /// <summary>What this host can do for the type, with the tools found and the reason for everything that it cannot.</summary>
    Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Whether the pool is there and usable now. Changes nothing.</summary>
    /// <exception cref="StorageException">It is not, and this is why: a backend that can say more than that throws.</exception>
    Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken);

    /// <summary>
    /// Looks at the pool and at every volume in it. Volumes are handed over one by one in the order of the UTF-8 bytes of their
    /// names. A volume that cannot be read is one with a <see cref="VolumeDefinition.Problem"/>, never the end of the refresh. What
    /// an operation of this worker left behind that has ended (<see cref="Run.HasEndedAsync"/>) is removed.
    /// </summary>
    Task<PoolObservation> RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken);

    /// <summary>Looks at one volume; null when it is not there.</summary>
    Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken);
}

/// <summary>Finds storage that a pool of this type could use.</summary>
public interface ISourceFinder : IPoolBackend
{
    Task<IReadOnlyList<PoolSource>> FindSourcesAsync(PoolSource? where, CancellationToken cancellationToken);
}

/// <summary>Makes the storage of a pool. Building what is built already succeeds where nothing would be lost.</summary>
public interface IPoolBuilder : IPoolBackend
{
    Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken);
}

/// <summary>Start and stop, for types where that changes the host. Both succeed when it is done already.</summary>
public interface IPoolActivator : IPoolBackend
{
    /// <summary>Begins the run only where it has something to do. One that fails after that may leave it half done: the pool is stopped then.</summary>
    Task StartAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken);

    Task StopAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken);
}

/// <summary>Removes the storage of a pool; refuses while it holds data. A pool that is gone already is deleted.</summary>
public interface IPoolDeleter : IPoolBackend
{
    Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken);
}

/// <summary>Bytes of a pool, as in <see cref="PoolObservation"/>.</summary>
public sealed record PoolSpace(long Capacity, long Allocation, long Available, IReadOnlyList<FreeExtent>? FreeExtents = null)
{
    /// <summary>The same figures and extents.</summary>
    public bool IsSame(PoolSpace? other) =>
        other is not null && this with { FreeExtents = null } == other with { FreeExtents = null } && (FreeExtents ?? []).SequenceEqual(other.FreeExtents ?? []);
}

/// <summary>A type of which it costs next to nothing to see how full a pool is.</summary>
public interface IPoolSpace : IPoolBackend
{
    /// <summary>Null where the pool is not there and usable now. Changes nothing.</summary>
    Task<PoolSpace?> ReadSpaceAsync(PoolDefinition pool, CancellationToken cancellationToken);
}

/// <summary>A type with volumes that fill up by what is written to others.</summary>
public interface IFillingVolumes : IPoolBackend
{
    /// <summary>Those volumes, of a pool that is started. Changes nothing.</summary>
    Task<IReadOnlyList<VolumeDefinition>> ReadFillingAsync(PoolDefinition pool, CancellationToken cancellationToken);
}

/// <summary>A type whose pools can be watched: what others do to their volumes is heard from the kernel.</summary>
public interface IWatchedPool : IPoolBackend
{
    /// <summary>The directory whose entries are the volumes of a pool that is started.</summary>
    string WatchedDirectory(PoolDefinition pool);
}

/// <summary>
/// Makes a volume. It appears under its name only when it is complete; a failure or a cancel leaves nothing behind. A resumed run
/// (<see cref="Run.Resumed"/>) adopts the volume when it is complete, and removes what the cut-off run left before it starts again.
/// </summary>
public interface IVolumeCreator : IPoolBackend
{
    /// <returns>The volume as it is on the host now.</returns>
    Task<VolumeDefinition> CreateVolumeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken);

    /// <summary>Makes many, one as well as the other. All of them are durable when it returns; what it has made before it fails is the caller's to remove.</summary>
    /// <param name="onMade">Is told of each, in their order, as soon as it has its name.</param>
    async Task CreateVolumesAsync(
        PoolDefinition pool, IReadOnlyList<VolumeDefinition> volumes, Run run, Action<VolumeDefinition> onMade, CancellationToken cancellationToken)
    {
        foreach (var volume in volumes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            onMade(await CreateVolumeAsync(pool, volume, run, cancellationToken));
        }
    }
}

/// <summary>Removes volumes. One that is gone already is deleted. Durable when it is said.</summary>
public interface IVolumeDeleter : IPoolBackend
{
    Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken);

    /// <summary>Whether volumes can be removed together. Changes nothing; asked before anything is.</summary>
    /// <exception cref="StorageException">
    /// One cannot (<see cref="VolumeDeletion.At"/>): <see cref="ErrorCodes.InUse"/>, which is not looked for where it is forced, or as
    /// <see cref="DeleteVolumeAsync"/>.
    /// </exception>
    /// <returns>Those that are there, each after those that are made of it.</returns>
    async Task<IReadOnlyList<string>> PlanDeletionAsync(PoolDefinition pool, VolumeDeletion deletion, CancellationToken cancellationToken)
    {
        var found = new List<VolumeDefinition>(deletion.Volumes.Count);
        foreach (var name in deletion.Volumes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            deletion.At = name;
            if (await ReadVolumeAsync(pool, name, cancellationToken) is not { } volume)
                continue;
            if (!deletion.Force && this is IVolumeUsers users)
                await users.RequireUnusedAsync(pool, name, cancellationToken);
            found.Add(volume);
        }
        return DeletionOrder.Of(found);
    }

    /// <summary>
    /// Removes volumes in this order, and says which are gone (<see cref="VolumeDeletion.AreGone"/>). Where one cannot be removed, and where it is
    /// cancelled, those after it stay.
    /// </summary>
    /// <exception cref="StorageException">As <see cref="DeleteVolumeAsync"/>, of <see cref="VolumeDeletion.At"/>.</exception>
    async Task DeleteVolumesAsync(PoolDefinition pool, IReadOnlyList<string> order, VolumeDeletion deletion, CancellationToken cancellationToken)
    {
        foreach (var volume in order)
        {
            cancellationToken.ThrowIfCancellationRequested();
            deletion.At = volume;
            await DeleteVolumeAsync(pool, volume, deletion.Run, cancellationToken);
            deletion.AreGone([volume]);
        }
    }
}

/// <summary>
/// Makes a volume with the content of another, in this pool or another one of the same host. As <see cref="IVolumeCreator"/>: it
/// appears under its name only when it is complete, a failure or a cancel leaves nothing, a resumed run adopts or begins again.
/// </summary>
public interface IVolumeCloner : IPoolBackend
{
    /// <param name="pool">Where the new volume is made.</param>
    /// <param name="volume">
    /// The new volume. Without a format it has the source's. Its capacity in bytes is at least the source's: a smaller one is raised.
    /// </param>
    /// <param name="source">What is copied. It is only read.</param>
    /// <param name="reflink">The blocks must be shared with the source.</param>
    /// <param name="run">The run. Progress is in bytes where they are known.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>: the source is gone. <see cref="ErrorCodes.Unsupported"/>: it cannot be copied so, or its
    /// blocks cannot be shared. Else as <see cref="IVolumeCreator"/>.
    /// </exception>
    /// <returns>The volume as it is on the host now.</returns>
    Task<VolumeDefinition> CloneVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, CloneSource source, bool reflink, Run run, CancellationToken cancellationToken);
}

/// <summary>
/// Knows who uses a volume on this host. Asked before a volume is deleted, overwritten or made smaller, unless the client forces it.
/// </summary>
public interface IVolumeUsers : IPoolBackend
{
    /// <summary>Changes nothing. A volume that is gone is not used.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>; the message names who uses it.</exception>
    Task RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken);
}

/// <summary>Changes a volume's capacity.</summary>
public interface IVolumeResizer : IPoolBackend
{
    /// <summary>
    /// Gives the volume a capacity. One that has it already is left alone, so a run may be repeated. A failure or a cancel leaves the
    /// capacity of before, or the new one where it was too late; never one in between.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/> for what its format does not do.
    /// </exception>
    /// <returns>The volume as it is on the host now.</returns>
    Task<VolumeDefinition> ResizeVolumeAsync(
        PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken);
}

/// <summary>
/// Overwrites the content of a volume, which keeps its name and size. What was overwritten cannot be had back: a failure or a cancel
/// leaves a volume of which a part is overwritten. A resumed run goes on from its last checkpoint, or starts over where the volume is another
/// one than the one that it was wiping, or where there is no checkpoint.
/// </summary>
public interface IVolumeWiper : IPoolBackend
{
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/> for what cannot be overwritten, or not so;
    /// <see cref="ErrorCodes.HostFailure"/> also where another content is read back than was written.
    /// </exception>
    /// <returns>The volume as it is on the host now: one that was an image is raw.</returns>
    Task<VolumeDefinition> WipeVolumeAsync(
        PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken);
}

/// <summary>Gives volumes back the content of their snapshots.</summary>
public interface ISnapshotMerger : IPoolBackend
{
    /// <summary>
    /// Afterwards the snapshot is gone. One that is gone already where the run was resumed is merged. From its beginning on it is not cancelled:
    /// a part of the content is that of the snapshot.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.InvalidArgument"/>: it is no snapshot of the volume;
    /// <see cref="ErrorCodes.InUse"/>: one of the two is used.
    /// </exception>
    /// <returns>The volume as it is on the host now.</returns>
    Task<VolumeDefinition> MergeSnapshotAsync(PoolDefinition pool, string volume, string snapshot, Run run, CancellationToken cancellationToken);
}
