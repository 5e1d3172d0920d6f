using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>
/// A directory of the host; its files and sub-directories are the volumes. Source of fact: the directory itself. There is nothing to
/// start or stop: a pool whose directory is there is running.
/// </summary>
public sealed class DirPool(LocalVolumes volumes) : ILocalDirectoryPool, IWatchedPool, IPoolBuilder, IPoolDeleter
{
    public PoolType Type => PoolType.Dir;

    public LocalVolumes Volumes => volumes;

    public string WatchedDirectory(PoolDefinition pool) => LocalTarget.PathOf(pool);

    public Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => volumes.ProbeAsync(this, cancellationToken);

    public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        Task.FromResult(LocalTarget.Exists(LocalTarget.PathOf(pool)) ? PoolState.Running : PoolState.Inactive);

    /// <summary>
    /// Makes the directory with its missing parents, or takes the one that is there. A failure removes the directories that it made.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/> when told to overwrite: a directory holds nothing that building could.
    /// <see cref="ErrorCodes.Unsupported"/> where copy-on-write is to be set and the file system is not btrfs.
    /// </exception>
    public async Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken)
    {
        if (overwrite)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A directory pool has nothing to overwrite.", "overwrite");
        var path = LocalTarget.PathOf(pool);
        await run.BeginAsync(cancellationToken);
        LocalTarget.Build(path, pool.Target.Permissions, pool.CopyOnWrite);
    }

    /// <summary>Removes the directory, which must be empty. Its parents stay.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while it is not empty.</exception>
    public async Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var path = LocalTarget.PathOf(pool);
        await run.BeginAsync(cancellationToken);
        LocalTarget.Remove(path);
    }
}
