using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// A pool whose volumes are the files and directories in its target directory, whatever is mounted there. A backend that is one has
/// every role of volumes from the <see cref="Volumes"/> of this host: what it adds is how the directory comes about. A member that a
/// backend has itself goes before the one here.
/// </summary>
public interface ILocalDirectoryPool : IVolumeCreator, IVolumeCloner, IVolumeDeleter, IVolumeResizer, IVolumeWiper, IVolumeUsers, IPoolSpace
{
    LocalVolumes Volumes { get; }

    Task<PoolObservation> IPoolBackend.RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken) =>
        LocalVolumeFiles.ObserveAsync(LocalTarget.PathOf(pool), onVolume, run, cancellationToken, Volumes.Headers);

    async Task<PoolSpace?> IPoolSpace.ReadSpaceAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        await CheckAsync(pool, cancellationToken) is PoolState.Running or PoolState.Degraded ? LocalVolumeFiles.ReadSpace(LocalTarget.PathOf(pool)) : null;

    Task<VolumeDefinition?> IPoolBackend.ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        Task.FromResult(LocalVolumeFiles.Read(LocalTarget.PathOf(pool), volume));

    Task<VolumeDefinition> IVolumeCreator.CreateVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken) =>
        Volumes.Creator.CreateAsync(LocalTarget.PathOf(pool), LocalTarget.WithOwnerOf(pool, volume), run, cancellationToken);

    Task IVolumeCreator.CreateVolumesAsync(
        PoolDefinition pool, IReadOnlyList<VolumeDefinition> volumes, Run run, Action<VolumeDefinition> onMade, CancellationToken cancellationToken) =>
        Volumes.Creator.CreateAsync(
            LocalTarget.PathOf(pool), [.. volumes.Select(volume => LocalTarget.WithOwnerOf(pool, volume))], run, onMade, cancellationToken);

    Task IVolumeUsers.RequireUnusedAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
    {
        LocalVolumeFiles.RequireUnused(LocalTarget.PathOf(pool), volume);
        return Task.CompletedTask;
    }

    Task IVolumeDeleter.DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken) =>
        LocalVolumeFiles.DeleteAsync(LocalTarget.PathOf(pool), volume, run, cancellationToken);

    Task<IReadOnlyList<string>> IVolumeDeleter.PlanDeletionAsync(PoolDefinition pool, VolumeDeletion deletion, CancellationToken cancellationToken) =>
        Task.FromResult(LocalVolumeDeletion.Plan(LocalTarget.PathOf(pool), deletion, Volumes.Headers, cancellationToken));

    Task IVolumeDeleter.DeleteVolumesAsync(PoolDefinition pool, IReadOnlyList<string> order, VolumeDeletion deletion, CancellationToken cancellationToken) =>
        LocalVolumeDeletion.RunAsync(LocalTarget.PathOf(pool), order, deletion, cancellationToken);

    Task<VolumeDefinition> IVolumeCloner.CloneVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, CloneSource source, bool reflink, Run run, CancellationToken cancellationToken) =>
        source.IsFile
            ? Volumes.Cloner.CloneAsync(
                LocalTarget.PathOf(pool), LocalTarget.WithOwnerOf(pool, volume), LocalTarget.PathOf(source.Pool), source.Volume, source.Secret, reflink, run, cancellationToken)
            : Volumes.DeviceCloner.CloneAsync(LocalTarget.PathOf(pool), LocalTarget.WithOwnerOf(pool, volume), source, reflink, run, cancellationToken);

    Task<VolumeDefinition> IVolumeResizer.ResizeVolumeAsync(
        PoolDefinition pool, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken) =>
        Volumes.Resizer.ResizeAsync(LocalTarget.PathOf(pool), volume, resize, run, cancellationToken);

    Task<VolumeDefinition> IVolumeWiper.WipeVolumeAsync(
        PoolDefinition pool, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken) =>
        Volumes.Wiper.WipeAsync(LocalTarget.PathOf(pool), volume, algorithm, run, cancellationToken);
}
