using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>
/// Makes logical volumes. Each has a tag that says which operation made it, from its beginning: a resumed run knows its own by it, and one
/// that fails removes nothing else. One that is still to be filled has another tag, and is nobody's volume until that is gone.
/// </summary>
public sealed partial class LogicalVolumeMaker(Lvm lvm, ILogger<LogicalVolumeMaker> logger)
{
    /// <param name="fill">Is told the volume's path, and gives it its content; null where it has none.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.VolumeExists"/>; else as <see cref="NewLogicalVolume.Words"/>.</exception>
    public async Task<VolumeDefinition> MakeAsync(
        PoolDefinition pool, VolumeDefinition volume, Run run, Func<string, Task>? fill, CancellationToken cancellationToken)
    {
        var group = await lvm.RequireAsync(pool, cancellationToken);
        var there = group.Find(volume.Name);
        if (there is not null && (!run.Resumed || LogicalVolumeView.OperationOf(there) != run.OperationId))
            throw new StorageException(new StorageError(
                ErrorCodes.VolumeExists, $"There is a logical volume '{volume.Name}' already in volume group '{group.Name}'.", "name", Resource: volume.Name));
        if (there is not null && LogicalVolumeView.IsIncomplete(there))
        {
            // What was written to it may be no longer what the source has.
            await RemoveAsync(pool, group, volume.Name, cancellationToken);
            group = await lvm.RequireAsync(pool, cancellationToken);
            there = null;
        }
        IEnumerable<string> tags = [LogicalVolumeView.TagOf(run.OperationId), .. fill is null ? Array.Empty<string>() : [LogicalVolumeView.IncompleteTag]];
        var words = there is null ? NewLogicalVolume.Words(pool, group, volume, tags) : [];
        await run.BeginAsync(cancellationToken);
        try
        {
            if (there is null)
            {
                await lvm.ChangeAsync("lvcreate", Lvm.DevicesOf(pool), words, cancellationToken);
                if (fill is not null)
                {
                    await fill(LogicalVolumeView.PathOf(pool, volume.Name));
                    await lvm.ChangeAsync("lvchange", Lvm.DevicesOf(pool), ["--deltag", LogicalVolumeView.IncompleteTag, $"{group.Name}/{volume.Name}"], cancellationToken);
                }
            }
            return await CompleteAsync(pool, volume, cancellationToken);
        }
        catch when (!run.CutOff)
        {
            await UndoAsync(pool, volume.Name, run.OperationId);
            throw;
        }
    }

    /// <summary>Removes what operations of this worker that have ended left unfilled.</summary>
    public async Task RemoveLeftAsync(PoolDefinition pool, VolumeGroup group, Run run, CancellationToken cancellationToken)
    {
        foreach (var volume in group.Visible.Where(LogicalVolumeView.IsIncomplete))
        {
            if (LogicalVolumeView.OperationOf(volume) is { } operation && await run.HasEndedAsync(operation))
                await RemoveAsync(pool, group, volume.Name, cancellationToken);
        }
    }

    public Task RemoveAsync(PoolDefinition pool, VolumeGroup group, string volume, CancellationToken cancellationToken) =>
        lvm.ChangeAsync("lvremove", Lvm.DevicesOf(pool), ["--yes", $"{group.Name}/{volume}"], cancellationToken);

    private async Task<VolumeDefinition> CompleteAsync(PoolDefinition pool, VolumeDefinition volume, CancellationToken cancellationToken)
    {
        if (volume.Permissions is { } permissions && volume.Layout?.Kind is not LayoutKind.ThinPool)
            BlockVolume.SetPermissions(LogicalVolumeView.PathOf(pool, volume.Name), permissions);
        var group = await lvm.RequireAsync(pool, cancellationToken);
        var made = group.Find(volume.Name) is { } found ? LogicalVolumeView.Of(pool, group, found) : throw new StorageException(new StorageError(
            ErrorCodes.ToolFailed, $"{Lvm.Tool} ended well, and there is no volume '{volume.Name}'.", Resource: volume.Name, Tool: Lvm.Tool));
        return made.Problem is null ? made : throw new StorageException(new StorageError(ErrorCodes.HostFailure, $"The new volume cannot be used: {made.Problem}", Resource: volume.Name));
    }

    /// <summary>Removes what an operation has made. What its run failed with is what the client is told.</summary>
    public async Task UndoAsync(PoolDefinition pool, string volume, Guid operation)
    {
        try
        {
            if (await lvm.FindAsync(pool, CancellationToken.None) is { } group && group.Find(volume) is { } made && LogicalVolumeView.OperationOf(made) == operation)
                await RemoveAsync(pool, group, volume, CancellationToken.None);
        }
        catch (StorageException e)
        {
            LeftBehind(volume, pool.Name, e);
        }
    }

    [LoggerMessage(2031, LogLevel.Error, "Logical volume {Volume} of pool {Pool} could not be removed after a failed creation")]
    private partial void LeftBehind(string volume, string? pool, Exception cause);
}
