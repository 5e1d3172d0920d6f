using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// A pool whose volumes are the files and directories in its target directory, whatever is mounted there. A backend that is one has
/// every role of volumes from the <see cref="Volumes"/> of this host: what it adds is how the directory comes about. A member that a
/// backend has itself goes before the one here.
/// </summary>
public interface ILocalDirectoryPool : IVolumeCreator, IVolumeDeleter
{
    LocalVolumes Volumes { get; }

    Task<PoolObservation> IPoolBackend.RefreshAsync(
        PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, CancellationToken cancellationToken) =>
        LocalVolumeFiles.ObserveAsync(LocalTarget.PathOf(pool), onVolume, cancellationToken);

    Task<VolumeDefinition?> IPoolBackend.ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
        Task.FromResult(LocalVolumeFiles.Read(LocalTarget.PathOf(pool), volume));

    Task<VolumeDefinition> IVolumeCreator.CreateVolumeAsync(
        PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken) =>
        Volumes.Creator.CreateAsync(LocalTarget.PathOf(pool), volume, run, cancellationToken);

    Task IVolumeDeleter.DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken) =>
        LocalVolumeFiles.DeleteAsync(LocalTarget.PathOf(pool), volume, run, cancellationToken);
}
