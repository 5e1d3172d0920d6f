using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Creates many volumes: all of them, or none.</summary>
internal static class VolumeBatchHandler
{
    public static async Task CreateAsync(RunContext context, CancellationToken cancellationToken)
    {
        var volumes = Check(context, context.Arguments<CreateVolumes>().Volumes);
        var creator = context.Require<IVolumeCreator>();
        context.Require<IVolumeDeleter>();
        // In a resumed run the names were free when it began: what has one of them now is ours.
        if (!context.Run.Resumed)
            await RequireFreeNamesAsync(context, volumes, cancellationToken);
        await context.Run.BeginAsync(cancellationToken);

        var created = new List<VolumeDefinition>(volumes.Count);
        try
        {
            var progress = new PartProgress(context.Run.Progress, volumes.Count);
            var single = new Run(context.Run.OperationId, context.Run.Resumed, context.Run.BeginAsync, progress)
            {
                IsCutOff = () => context.CutOff,
                BackingPlaces = context.Run.BackingPlaces,
                Secrets = context.Run.ResolveAsync,
            };
            await creator.CreateVolumesAsync(
                context.Pool, volumes, single,
                made =>
                {
                    created.Add(made);
                    progress.Next();
                },
                cancellationToken);
            context.AreCreated(created);
        }
        catch when (!context.CutOff)
        {
            var made = created.Select(volume => volume.Name).ToList();
            // A resumed run may fail before it has come as far as the one that was cut off.
            if (context.Run.Resumed)
                made.AddRange(await LeftByCutOffRunAsync(context, volumes.Skip(created.Count)));
            await UndoAsync(context, made);
            throw;
        }
    }

    private static List<VolumeDefinition> Check(RunContext context, IReadOnlyList<VolumeDefinition> volumes)
    {
        if (volumes.Count is 0 or > CreateVolumes.Limit)
            throw new StorageException(
                ErrorCodes.InvalidArgument, $"From 1 to {CreateVolumes.Limit} volumes are created at once, not {volumes.Count}.", "volumes");
        var names = new HashSet<string>(StringComparer.Ordinal);
        return [.. volumes.Select((volume, i) =>
        {
            VolumeRules.CheckName(volume.Name, $"volumes[{i}].name");
            return names.Add(volume.Name)
                ? Definitions.Check(context.Pool, volume)
                : throw new StorageException(ErrorCodes.InvalidArgument, $"Volume '{volume.Name}' is there twice.", $"volumes[{i}].name");
        })];
    }

    private static async Task RequireFreeNamesAsync(RunContext context, List<VolumeDefinition> volumes, CancellationToken cancellationToken)
    {
        var backend = context.Require<IPoolBackend>();
        foreach (var volume in volumes)
        {
            if (await backend.ReadVolumeAsync(context.Pool, volume.Name, cancellationToken) is not null)
                throw new StorageException(new StorageError(
                    ErrorCodes.VolumeExists, $"Volume '{volume.Name}' exists already.", Resource: Resources.Volume(context.PoolId, volume.Name)));
        }
    }

    /// <summary>Of the volumes that this run did not come to, those that are as they were to be made: only they can be ours.</summary>
    private static async Task<List<string>> LeftByCutOffRunAsync(RunContext context, IEnumerable<VolumeDefinition> volumes)
    {
        var left = new List<string>();
        foreach (var wanted in volumes)
        {
            var found = await context.Require<IPoolBackend>().ReadVolumeAsync(context.Pool, wanted.Name, CancellationToken.None);
            if (found is not null && VolumeIdentity.CouldBeMadeFrom(wanted, found))
                left.Add(wanted.Name);
        }
        return left;
    }

    /// <summary>Removes what was made. What cannot be removed is said to be there, so that nobody has to find it by chance.</summary>
    private static async Task UndoAsync(RunContext context, List<string> made)
    {
        var deleter = context.Require<IVolumeDeleter>();
        foreach (var name in Enumerable.Reverse(made))
        {
            try
            {
                await deleter.DeleteVolumeAsync(context.Pool, name, context.Run, CancellationToken.None);
            }
            catch (Exception e)
            {
                WorkerLog.UndoFailed(context.Log, e, context.Run.OperationId, name);
                await SayWhetherLeftAsync(context, deleter, name);
            }
        }
    }

    private static async Task SayWhetherLeftAsync(RunContext context, IVolumeDeleter backend, string name)
    {
        try
        {
            if (await backend.ReadVolumeAsync(context.Pool, name, CancellationToken.None) is { } left)
                context.VolumeIs(name, new VolumeCreated(context.PoolId, left));
        }
        catch (Exception e)
        {
            // The next refresh of the pool sees it.
            WorkerLog.UndoFailed(context.Log, e, context.Run.OperationId, name);
        }
    }
}
