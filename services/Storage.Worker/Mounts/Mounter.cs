using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Mounts and unmounts the storage of pools whose target is a mount point. What counts as mounted is what the kernel says
/// (<see cref="MountTable"/>), never what a tool says.
/// </summary>
public sealed class Mounter(IToolRunner tools)
{
    public const string MountTool = "mount";
    public const string UnmountTool = "umount";

    /// <summary>A server that does not answer must not hold a mount for the minutes that its client would wait.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const int Attempts = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>A call of mount or umount: it may sleep, and ends in bounded time.</summary>
    public static HostCommand Command(string tool, params string[] arguments) =>
        new(tool, arguments) { Deadline = Patience, StallLimit = null };

    /// <summary>Whether the pool's source is mounted at its target.</summary>
    /// <param name="target">The mount point.</param>
    /// <param name="isSource">Tells the pool's own mount from another one.</param>
    public static bool IsMounted(string target, Func<MountEntry, bool> isSource) =>
        MountTable.At(MountTable.Resolve(target)) is { } entry && isSource(entry);

    /// <summary>As <see cref="IPoolBackend.CheckAsync"/>: mounted and answering is running, not mounted is inactive.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/>: it is mounted and not usable; the message says why.</exception>
    public static Task<PoolState> CheckAsync(string target, Func<MountEntry, bool> isSource)
    {
        if (!IsMounted(target, isSource))
            return Task.FromResult(PoolState.Inactive);
        LocalTarget.RequireUsable(target);
        return Task.FromResult(PoolState.Running);
    }

    /// <summary>Mounts, unless it is mounted already. A failure leaves nothing mounted.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidState"/>: something else is mounted there. <see cref="ErrorCodes.HostFailure"/>: there is no
    /// directory to mount at (building makes it). Else the tool's error.
    /// </exception>
    public async Task MountAsync(string target, Func<MountEntry, bool> isSource, HostCommand mount, Run run, CancellationToken cancellationToken)
    {
        if (MountTable.At(MountTable.Resolve(target)) is { } there)
        {
            if (isSource(there))
                return;
            throw new StorageException(new StorageError(
                ErrorCodes.InvalidState, $"Something else is mounted at {target}: {there.Source}.", "target.path", Resource: target));
        }
        if (!LocalTarget.Exists(target))
            throw new StorageException(new StorageError(
                ErrorCodes.HostFailure, $"There is no directory {target} to mount at: build the pool.", "target.path", Resource: target));
        await run.BeginAsync(cancellationToken);
        try
        {
            await tools.RunAsync(mount, cancellationToken);
            if (!IsMounted(target, isSource))
                throw new StorageException(new StorageError(
                    ErrorCodes.ToolFailed, $"{mount.Tool} said that {target} is mounted, and it is not.", Resource: target, Tool: mount.Tool));
        }
        catch
        {
            if (IsMounted(target, isSource))
                await tools.RunAsync(Command(UnmountTool, target), CancellationToken.None);
            throw;
        }
    }

    /// <summary>Unmounts, unless nothing or something else is mounted there.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while it is used; the message names who holds it.</exception>
    public async Task UnmountAsync(string target, Func<MountEntry, bool> isSource, Run run, CancellationToken cancellationToken)
    {
        if (!IsMounted(target, isSource))
            return;
        await run.BeginAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await tools.RunAsync(Command(UnmountTool, target), cancellationToken);
                return;
            }
            catch (StorageException e) when (e.Error.Stderr?.Contains("busy", StringComparison.Ordinal) == true)
            {
                var holders = OpenFiles.HoldersBelow(MountTable.Resolve(target));
                if (attempt == Attempts || holders.Any(holder => holder.Process != Environment.ProcessId))
                    throw new StorageException(
                        e.Error with { Code = ErrorCodes.InvalidState, Message = $"{target} is in use{OpenFiles.ByWhom(holders)}.", Resource = target, Retryable = true }, e);
            }
            // Whoever only looks, as this process does at how full it is, is gone by then.
            await Task.Delay(Pause, cancellationToken);
        }
    }
}
