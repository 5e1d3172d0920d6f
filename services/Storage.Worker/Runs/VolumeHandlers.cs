using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The commands on one volume.</summary>
internal static class VolumeHandlers
{
    public static async Task CreateAsync(RunContext context, CancellationToken cancellationToken)
    {
        var volume = Definitions.Check(context.Pool, context.Arguments<CreateVolume>().Volume);
        var created = await context.Require<IVolumeCreator>().CreateVolumeAsync(context.Pool, volume, context.Run, cancellationToken);
        await SayMadeAsync(context, volume, created, () => context.AreCreated([created]));
    }

    public static async Task CloneAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<CloneVolume>();
        var cloner = context.Require<IVolumeCloner>();
        var volume = Definitions.Check(context.Pool, command.Volume, VolumePurpose.Clone);
        var pool = command.SourcePool is null ? context.Pool : Definitions.Check(context.Operation.SourcePool);
        var source = new CloneSource(pool, context.Backends.Find<IPoolBackend>(pool.Type), Definitions.CheckName(command.SourceVolume), Definitions.Check(command.SourceSecret, "sourceSecret"))
        {
            Seen = context.Operation.SourceVolume,
        };
        var cloned = await cloner.CloneVolumeAsync(context.Pool, volume, source, command.Reflink, context.Run, cancellationToken);
        await SayMadeAsync(context, volume, cloned, () => context.VolumeIs(
            cloned.Name, new VolumeCloned(context.PoolId, cloned, pool.Uuid!.Value, source.Volume)));
    }

    public static async Task ResizeAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<ResizeVolume>();
        var name = Definitions.CheckName(command.Volume);
        var resizer = context.Require<IVolumeResizer>();
        var resize = context.Run is { Resumed: true, Plan: { } plan }
            ? JsonSerializer.Deserialize<VolumeResize>(plan, StorageJson.Options)!
            : VolumeResize.Of(command with { Secret = Definitions.Check(command.Secret, "secret") },
                await resizer.ReadVolumeAsync(context.Pool, name, cancellationToken) ?? throw Missing(context, name));
        if (resize.To < resize.From)
            await RequireUnusedAsync(context, name, command.Force, cancellationToken);
        // A difference is applied to what was there at first, also by the resumed run.
        context.Run.Plan = JsonSerializer.Serialize(resize, StorageJson.Options);
        await ChangeAsync(context, name, async () => context.VolumeIs(name, new VolumeResized(
            context.PoolId, await resizer.ResizeVolumeAsync(context.Pool, name, resize, context.Run, cancellationToken))));
    }

    public static async Task WipeAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<WipeVolume>();
        var name = Definitions.CheckName(command.Volume);
        var wiper = context.Require<IVolumeWiper>();
        await RequireUnusedAsync(context, name, command.Force, cancellationToken);
        await ChangeAsync(context, name, async () => context.VolumeIs(name, new VolumeWiped(
            context.PoolId, await wiper.WipeVolumeAsync(context.Pool, name, command.Algorithm, context.Run, cancellationToken), command.Algorithm)));
    }

    public static async Task MergeAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<MergeVolume>();
        var (name, snapshot) = (Definitions.CheckName(command.Volume), Definitions.CheckName(command.Snapshot));
        await ChangeAsync(context, name, async () =>
        {
            var merged = await context.Require<ISnapshotMerger>().MergeSnapshotAsync(context.Pool, name, snapshot, context.Run, cancellationToken);
            context.VolumeIs(name, new VolumeMerged(context.PoolId, merged, snapshot));
            context.VolumeIs(snapshot, new VolumeDeleted(context.PoolId, snapshot));
        });
    }

    public static async Task DeleteAsync(RunContext context, CancellationToken cancellationToken)
    {
        var command = context.Arguments<DeleteVolume>();
        var name = Definitions.CheckName(command.Volume);
        await RequireUnusedAsync(context, name, command.Force, cancellationToken);
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

    private static async Task RequireUnusedAsync(RunContext context, string volume, bool force, CancellationToken cancellationToken)
    {
        if (!force && context.Backends.Find<IVolumeUsers>(context.Pool.Type) is { } users)
            await users.RequireUnusedAsync(context.Pool, volume, cancellationToken);
    }

    /// <summary>A run that has ended without it came back from storage that hung: nobody knows of the volume.</summary>
    private static async Task SayMadeAsync(RunContext context, VolumeDefinition wanted, VolumeDefinition made, Action say)
    {
        try
        {
            say();
            if (wanted.Name.Length == 0)
                context.Result = JsonSerializer.SerializeToElement(new { volume = made.Name }, StorageJson.Options);
        }
        catch (OperationCanceledException) when (!context.CutOff)
        {
            if (context.Backends.Find<IVolumeDeleter>(context.Pool.Type) is { } deleter)
                await deleter.DeleteVolumeAsync(context.Pool, made.Name, context.Run, CancellationToken.None);
            throw;
        }
    }

    /// <summary>A change that ends early can have left the volume otherwise than it was: it is said as it is.</summary>
    private static async Task ChangeAsync(RunContext context, string name, Func<Task> change)
    {
        try
        {
            await change();
        }
        catch when (!context.CutOff && context.HasBegun)
        {
            try
            {
                if (await context.Require<IPoolBackend>().ReadVolumeAsync(context.Pool, name, CancellationToken.None) is { } left)
                    context.VolumeIs(name, new VolumeChanged(context.PoolId, left));
            }
            catch (Exception e)
            {
                // The next refresh of the pool sees it.
                WorkerLog.LookFailed(context.Log, e, context.Run.OperationId, name);
            }
            throw;
        }
    }

    private static StorageException Missing(RunContext context, string volume) => new(new StorageError(
        ErrorCodes.VolumeNotFound, $"There is no volume '{volume}' in pool '{context.Pool.Name}'.", "volume", Resource: Resources.Volume(context.PoolId, volume)));
}
