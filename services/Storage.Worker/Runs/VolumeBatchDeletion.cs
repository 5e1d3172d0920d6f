using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Removes many volumes. Nothing of that can be undone: all of them are looked at first, and from then on what is gone is told whatever comes.
/// </summary>
internal static class VolumeBatchDeletion
{
    public static async Task RunAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<DeleteVolumes>();
        VolumeRules.CheckNames(command.Volumes, DeleteVolumes.Limit, "volumes");
        var deleter = context.Require<IVolumeDeleter>();
        var progress = new PartProgress(context.Run.Progress, command.Volumes.Count);
        var gone = new HashSet<string>(StringComparer.Ordinal);
        var deletion = new VolumeDeletion(command.Volumes, command.Force, context.Run, removed =>
        {
            context.AreDeleted(removed);
            gone.UnionWith(removed);
            progress.Next(removed.Count);
        });
        try
        {
            var order = await deleter.PlanDeletionAsync(context.Pool, deletion, cancellationToken);
            deletion.At = null;
            List<string> missing = [.. command.Volumes.Except(order)];
            if (missing.Count > 0 && !context.Run.Resumed)
            {
                deletion.At = missing[0];
                throw new StorageException(ErrorCodes.VolumeNotFound, $"There is none in pool '{context.Pool.Name}'.");
            }
            await context.Run.BeginAsync(cancellationToken);
            if (context.CancelRequested)
                throw new OperationCanceledException("It was cancelled before it went on.");
            // What is missing went with the run that was cut off: its deletion is brought to an end first.
            await deleter.DeleteVolumesAsync(context.Pool, [.. missing, .. order], deletion, cancellationToken);
        }
        catch (Exception e) when (!context.CutOff)
        {
            var at = deletion.At;
            if (context.Run.Resumed)
                await EndCutOffAsync(context, deleter, deletion, gone);
            if (e is OperationCanceledException || !RunErrors.Foreseen(e))
                throw;
            throw new StorageException(Told(context, command.Volumes, at, RunErrors.Of(e), gone.Count), e);
        }
    }

    /// <summary>A resumed run may fail before it has come as far as the one that was cut off: what that one removed is told all the same.</summary>
    private static async Task EndCutOffAsync(RunContext context, IVolumeDeleter deleter, VolumeDeletion deletion, HashSet<string> gone)
    {
        try
        {
            List<string> missing = [];
            foreach (var volume in deletion.Volumes.Where(volume => !gone.Contains(volume)))
            {
                if (await deleter.ReadVolumeAsync(context.Pool, volume, CancellationToken.None) is null)
                    missing.Add(volume);
            }
            if (missing.Count > 0)
                await deleter.DeleteVolumesAsync(context.Pool, missing, deletion, CancellationToken.None);
        }
        catch (Exception e)
        {
            // The next refresh of the pool sees it.
            WorkerLog.LookFailed(context.Log, e, context.Run.OperationId, deletion.At ?? context.Pool.Name!);
        }
    }

    private static StorageError Told(RunContext context, IReadOnlyList<string> volumes, string? at, StorageError error, int gone)
    {
        var index = at is null ? -1 : volumes.ToList().IndexOf(at);
        var much = gone == 0 ? "None was removed." : $"Of {volumes.Count} volumes {gone} {(gone == 1 ? "was" : "were")} removed.";
        return at is null
            ? error with { Message = $"{error.Message} {much}" }
            : error with
            {
                Message = $"Volume '{at}' cannot be removed: {error.Message} {much}",
                Field = $"volumes[{index}]",
                Resource = Resources.Volume(context.PoolId, at),
            };
    }
}
