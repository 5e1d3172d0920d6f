using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The commands on one volume.</summary>
internal static class VolumeHandlers
{
    public static async Task CreateAsync(RunContext context, CancellationToken cancellationToken)
    {
        var volume = Definitions.Check(context.Pool, context.Arguments<CreateVolume>().Volume);
        var created = await context.Require<IVolumeCreator>().CreateVolumeAsync(context.Pool, volume, context.Run, cancellationToken);
        try
        {
            context.AreCreated([created]);
        }
        catch (OperationCanceledException) when (!context.CutOff)
        {
            // The run has ended without it: it came back from storage that hung, and nobody knows of the volume.
            if (context.Backends.Find<IVolumeDeleter>(context.Pool.Type) is { } deleter)
                await deleter.DeleteVolumeAsync(context.Pool, created.Name, context.Run, CancellationToken.None);
            throw;
        }
    }

    public static async Task DeleteAsync(RunContext context, CancellationToken cancellationToken)
    {
        var name = Definitions.CheckName(context.Arguments<DeleteVolume>().Volume);
        await context.Require<IVolumeDeleter>().DeleteVolumeAsync(context.Pool, name, context.Run, cancellationToken);
        context.VolumeIs(name, new VolumeDeleted(context.PoolId, name));
    }

    public static async Task RefreshAsync(RunContext context, CancellationToken cancellationToken)
    {
        var name = Definitions.CheckName(context.Arguments<RefreshVolume>().Volume);
        var seen = await context.Require<IPoolBackend>().ReadVolumeAsync(context.Pool, name, cancellationToken);
        if (seen is null)
            context.VolumeIs(name, new VolumeVanished(context.PoolId, name), EventCause.External);
        else
            context.VolumeIs(name, new VolumeChanged(context.PoolId, seen), EventCause.External);
    }
}
