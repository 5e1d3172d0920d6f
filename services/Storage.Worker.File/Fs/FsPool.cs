using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>
/// A file system on a device, mounted at the target. Source of fact: the mount table (source and target), and below it the directory
/// itself. Started is mounted.
/// </summary>
public sealed class FsPool(LocalVolumes volumes, Mounter mounter, FileSystemMaker maker) : ILocalDirectoryPool, IWatchedPool, IPoolBuilder, IPoolActivator, IPoolDeleter
{
    public PoolType Type => PoolType.Fs;

    public LocalVolumes Volumes => volumes;

    public string WatchedDirectory(PoolDefinition pool) => LocalTarget.PathOf(pool);

    public async Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken)
    {
        var makers = PoolTypes.FileSystems.Where(format => format != "auto").Select(FileSystemMaker.ProgramOf);
        return (await volumes.ProbeAsync(this, cancellationToken)).With(
            [Mounter.MountTool, Mounter.UnmountTool, DeviceSignatures.Tool], makers);
    }

    public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) =>
        Mounter.CheckAsync(LocalTarget.PathOf(pool), IsSourceOf(pool));

    /// <summary>
    /// Makes the directory to mount at, and the file system where the device is blank. A device that has the format already is taken as
    /// it is; see <see cref="FileSystemMaker.MustMakeAsync"/> for what is refused. (libvirt makes file systems only when told by a flag.)
    /// </summary>
    public async Task BuildAsync(PoolDefinition pool, bool overwrite, Run run, CancellationToken cancellationToken)
    {
        var device = DeviceOf(pool);
        var make = await maker.MustMakeAsync(device, pool.Source.Format!, overwrite, run.Resumed, cancellationToken);
        await run.BeginAsync(cancellationToken);
        if (make)
            await maker.MakeAsync(device, pool.Source.Format!, cancellationToken);
        LocalTarget.Build(LocalTarget.PathOf(pool), pool.Target.Permissions, copyOnWrite: null);
    }

    /// <summary>Mounts it. Copy-on-write is set on what is mounted, where the definition says so.</summary>
    public async Task StartAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var target = LocalTarget.PathOf(pool);
        var fileSystem = FileSystemMaker.NameOnHost(pool.Source.Format!);
        await mounter.MountAsync(target, IsSourceOf(pool), MountCommands.Mount(pool, DeviceOf(pool), fileSystem), run, cancellationToken);
        if (pool.CopyOnWrite is { } copyOnWrite)
            LocalTarget.SetCopyOnWrite(target, copyOnWrite);
    }

    public Task StopAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) =>
        mounter.UnmountAsync(LocalTarget.PathOf(pool), IsSourceOf(pool), run, cancellationToken);

    /// <summary>Removes the directory to mount at, which must be empty. What is on the device stays.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while something is mounted there, or it is not empty.</exception>
    public Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken) => MountedTarget.DeleteAsync(pool, run, cancellationToken);

    private static string DeviceOf(PoolDefinition pool) => pool.Source.Devices[0].Path is ['/', ..] path
        ? path
        : throw new StorageException(ErrorCodes.InvalidDefinition, "The source device is an absolute path.", "source.devices[0].path");

    /// <summary>By the kernel's number of the device, or by its path: a file system over several devices has a number of its own.</summary>
    private static Func<MountEntry, bool> IsSourceOf(PoolDefinition pool)
    {
        var device = DeviceOf(pool);
        var number = DeviceUse.FindNumber(device);
        return entry => entry.Source == device || number is not null && (entry.Device == number || DeviceUse.FindNumber(entry.Source) == number);
    }
}
