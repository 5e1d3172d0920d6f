using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The commands on a pool as a whole.</summary>
internal static class PoolHandlers
{
    public static async Task BuildAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<BuildPool>();
        await context.Require<IPoolBuilder>().BuildAsync(context.Pool, command.Overwrite, context.Run, cancellationToken);
        context.PoolIs(new PoolBuilt(context.PoolId));
    }

    public static async Task StartAsync(RunContext context, CancellationToken cancellationToken)
    {
        var backend = context.Require<IPoolBackend>();
        var activator = context.Backends.Find<IPoolActivator>(context.Pool.Type);
        try
        {
            if (activator is not null)
                await activator.StartAsync(context.Pool, context.Run, cancellationToken);
            await RequireUsableAsync(context, backend, cancellationToken);
            var observation = await ListAsync(context, backend, new VolumeChunks(context, cancellationToken), cancellationToken);
            context.PoolIs(new PoolStarted(context.PoolId, observation));
        }
        catch when (!context.CutOff)
        {
            context.Unwatch();
            // What was started before the run stays so.
            if (activator is not null && (context.HasBegun || context.Run.Resumed))
                await UndoStartAsync(context, activator);
            throw;
        }
    }

    /// <summary>What the start failed with is what the client is told, also where the pool cannot be stopped again.</summary>
    private static async Task UndoStartAsync(RunContext context, IPoolActivator activator)
    {
        try
        {
            await activator.StopAsync(context.Pool, context.Run, CancellationToken.None);
        }
        catch (Exception e)
        {
            WorkerLog.UndoStartFailed(context.Log, e, context.Run.OperationId, context.Pool.Name);
        }
    }

    public static async Task StopAsync(RunContext context, CancellationToken cancellationToken)
    {
        context.Require<IPoolBackend>();
        // Before it: what stopping does to the directory is not to be told as somebody else's.
        context.Unwatch();
        try
        {
            if (context.Backends.Find<IPoolActivator>(context.Pool.Type) is { } activator)
                await activator.StopAsync(context.Pool, context.Run, cancellationToken);
        }
        catch when (!context.CutOff)
        {
            context.WatchAgain();
            throw;
        }
        context.PoolIs(new PoolStopped(context.PoolId));
    }

    public static async Task RefreshAsync(RunContext context, CancellationToken cancellationToken)
    {
        var backend = context.Require<IPoolBackend>();
        try
        {
            await RequireUsableAsync(context, backend, cancellationToken);
            var observation = await ListAsync(context, backend, new VolumeComparison(context, cancellationToken), cancellationToken);
            context.PoolIs(new PoolRefreshed(context.PoolId, observation));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (!await IsUsableAsync(context, backend, cancellationToken))
                IsInaccessible(context, RunErrors.Of(e));
            throw;
        }
    }

    public static void IsInaccessible(RunContext context, StorageError error)
    {
        context.Unwatch();
        context.PoolIs(new PoolStateChanged(context.PoolId, PoolState.Inaccessible, error.Message));
    }

    /// <summary>What is said of a pool whose storage is not as it must be for use.</summary>
    public static StorageError Unusable(PoolDefinition pool) =>
        new(ErrorCodes.HostFailure, $"The storage of pool '{pool.Name}' is not there or not usable.", Retryable: true);

    public static async Task DeleteAsync(RunContext context, CancellationToken cancellationToken)
    {
        await context.Require<IPoolDeleter>().DeleteAsync(context.Pool, context.Run, cancellationToken);
        context.PoolIs(new PoolDeleted(context.PoolId));
    }

    public static async Task FindSourcesAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<FindPoolSources>();
        var finder = context.Backends.Require<ISourceFinder>(command.Type);
        var sources = await finder.FindSourcesAsync(PoolRules.CompleteSource(command.Type, command.Source), cancellationToken);
        context.Result = StorageJson.ToElement(sources);
        context.HostIs(new PoolSourcesFound(command.Type, sources));
    }

    private static async Task<PoolObservation> ListAsync(RunContext context, IPoolBackend backend, ITellsVolumes telling, CancellationToken cancellationToken)
    {
        // Before the listing: what changes meanwhile is heard, and looked at afterwards.
        var watched = context.Watch();
        var observation = await backend.RefreshAsync(context.Pool, telling.AddAsync, context.Run, cancellationToken);
        await telling.EndAsync();
        return observation with { Watched = watched };
    }

    private static async Task RequireUsableAsync(RunContext context, IPoolBackend backend, CancellationToken cancellationToken)
    {
        var state = await backend.CheckAsync(context.Pool, cancellationToken);
        if (state is PoolState.Running or PoolState.Degraded)
            return;
        throw new StorageException(state is PoolState.Building
            ? new StorageError(ErrorCodes.InvalidState, $"Pool '{context.Pool.Name}' is being built.", Retryable: true)
            : Unusable(context.Pool));
    }

    /// <summary>Whether a refresh failed for another reason than the pool itself.</summary>
    private static async Task<bool> IsUsableAsync(RunContext context, IPoolBackend backend, CancellationToken cancellationToken)
    {
        try
        {
            return await backend.CheckAsync(context.Pool, cancellationToken) is PoolState.Running or PoolState.Degraded;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return false;
        }
    }
}
