using Storage.Contracts;

namespace Storage.Worker.File;

/// <summary>The directory that a pool is mounted at.</summary>
internal static class MountedTarget
{
    /// <summary>Removes it. One that is gone already is removed.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while something is mounted there, or it is not empty.</exception>
    public static async Task DeleteAsync(PoolDefinition pool, Run run, CancellationToken cancellationToken)
    {
        var target = LocalTarget.PathOf(pool);
        if (MountTable.At(MountTable.Resolve(target)) is { } mounted)
            throw new StorageException(new StorageError(
                ErrorCodes.InvalidState, $"{mounted.Source} is mounted at {target}.", "target.path", Resource: target));
        await run.BeginAsync(cancellationToken);
        LocalTarget.Remove(target);
    }
}
