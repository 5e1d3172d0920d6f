using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>
/// A directory that a server exports, by NFS, CIFS or Gluster, mounted at the target. Source of fact: the mount table (source and
/// target), and below it the directory itself. Started is mounted. A server that does not answer holds up nobody but this pool.
/// </summary>
public sealed class NetfsPool(LocalVolumes volumes, Mounter mounter, NetfsSources sources)
    : ILocalDirectoryPool, IPoolBuilder, IPoolActivator, IPoolDeleter, ISourceFinder
{
    public PoolType Type => PoolType.Netfs;

    public LocalVolumes Volumes => volumes;

    public async Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => (await volumes.ProbeAsync(this, cancellationToken)).With(
        [Mounter.MountTool, Mounter.UnmountTool], [.. NetfsProtocol.All.Select(protocol => protocol.MountProgram).OfType<string>(), NetfsSources.ShowMount, NetfsSources.Gluster]);

    public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        Mounter.CheckAsync(LocalTarget.PathOf(pool), IsSourceOf(pool));

    /// <summary>Makes the directory to mount at. The server is not asked.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/> when told to overwrite, and for a path at which it could not be mounted.
    /// </exception>
    public async Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken)
    {
        if (overwrite)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A network file system has nothing to overwrite.", "overwrite");
        NetfsProtocol.Of(pool.Source.Format!).CheckPaths(pool);
        await run.BeginAsync(cancellationToken);
        LocalTarget.Build(LocalTarget.PathOf(pool), pool.Target.Permissions, copyOnWrite: null);
    }

    /// <summary>Mounts it, with the password of the CIFS user where the source has one.</summary>
    public async Task StartAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var protocol = NetfsProtocol.Of(pool.Source.Format!);
        protocol.CheckPaths(pool);
        if (protocol.MountProgram is { } program && ToolPath.Find(program) is null)
            throw new StorageException(ErrorCodes.Unavailable, $"This host cannot mount {protocol.Format}: {program} is not installed.", "source.format");
        var (target, isSource, mount) = (LocalTarget.PathOf(pool), IsSourceOf(pool), protocol.Mount(pool));
        // What is mounted already needs no password.
        using var password = Mounter.IsMounted(target, isSource) ? null : await CifsUser.PasswordAsync(pool.Source, run, cancellationToken);
        await mounter.MountAsync(target, isSource, password is null ? mount : CifsUser.With(mount, password), run, cancellationToken);
    }

    public Task StopAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) =>
        mounter.UnmountAsync(LocalTarget.PathOf(pool), IsSourceOf(pool), run, cancellationToken);

    /// <summary>Removes the directory to mount at, which must be empty. What the server has stays.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while something is mounted there, or it is not empty.</exception>
    public Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) => MountedTarget.DeleteAsync(pool, run, cancellationToken);

    public Task<IReadOnlyList<PoolSource>> FindSourcesAsync(PoolSource? where, CancellationToken cancellationToken) =>
        sources.FindAsync(where, cancellationToken);

    private static Func<MountEntry, bool> IsSourceOf(PoolDefinition pool)
    {
        var source = Plain(NetfsProtocol.Of(pool.Source.Format!).SourceOf(pool));
        return entry => Plain(entry.Source) == source;
    }

    /// <summary>Clients write a source in their own way: with or without a slash before the volume, brackets, a slash at the end.</summary>
    private static string Plain(string source) =>
        source.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Replace(":/", ":", StringComparison.Ordinal).TrimEnd('/');
}
