using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Hands operations to the workers that run them, which do each once however often it is sent.</summary>
internal sealed class RunDispatch(LedgerTransaction ledger)
{
    /// <summary>Whether the worker that would run it is gone: it stays in line until the worker is back.</summary>
    public async Task<bool> IsLostAsync(OperationRow operation, CancellationToken cancellationToken) =>
        operation.Queue is not null && (await LostAsync(cancellationToken)).ContainsKey(operation.Queue);

    /// <summary>Hands an operation to its worker.</summary>
    public async Task DispatchAsync(OperationRow operation, ICommand command, CancellationToken cancellationToken)
    {
        operation.State = OperationState.Dispatched;
        operation.DispatchedAt ??= ledger.Now;
        await SendAsync(operation, command, cancellationToken);
    }

    /// <summary>
    /// Sends an operation to its worker, again if need be with what was asked of it since: a worker does it once. What is held goes to
    /// its holder; what nobody living holds to any replica, which is told with the hold what was asked.
    /// </summary>
    public Task SendAsync(OperationRow operation, CancellationToken cancellationToken) => SendAsync(operation, Submission.Read(operation), cancellationToken);

    private async Task SendAsync(OperationRow operation, ICommand command, CancellationToken cancellationToken)
    {
        operation.SentAt = ledger.Now;
        operation.Sent++;
        var address = (await LostAsync(cancellationToken)).ContainsKey(operation.HolderQueue!) ? operation.Queue! : operation.HolderQueue!;
        var pool = operation.PoolId is { } id ? await ledger.Inventory.PoolAsync(id, cancellationToken) : null;
        PoolRow? source = null;
        VolumeRow? sourceVolume = null;
        if (command is CloneVolume { SourcePool: not null } clone)
        {
            source = (await new TargetResolver(ledger).ResolveAsync(clone, cancellationToken)).SourcePool;
            // Another family's worker does not know how to find a device of it.
            if (!PoolTypes.Of(source!.Type).HasFiles)
                sourceVolume = await ledger.Inventory.VolumeAsync(source.Id, clone.SourceVolume, cancellationToken);
        }
        ledger.Send(address, new OperationRun(
            operation.Id,
            operation.Command,
            pool is null ? null : DefinitionOf(pool),
            JsonElement.Parse(operation.Arguments),
            // Who accepted it may have had another clock.
            new[] { Revisions.At(ledger.Now), Revisions.At(operation.AcceptedAt), pool?.Revision ?? 0, source?.Revision ?? 0 }.Max(),
            operation.AcceptedAt,
            operation.Cause,
            source is null ? null : DefinitionOf(source),
            operation.TraceParent,
            operation.Shared,
            pool is not null && MayOpenBacking(command)
                ? [.. (await ledger.Inventory.DirectoriesAsync(pool.Host, cancellationToken))
                    .Where(directory => directory.HasFiles).Select(directory => directory.Real).Distinct()]
                : null,
            sourceVolume is { Removed: false } ? JsonSerializer.Deserialize<VolumeDefinition>(sourceVolume.Document, StorageJson.Options) : null));
        if (operation.Shared && address == operation.Queue)
            return;
        if (operation.CancelRequested)
            ledger.Send(address, new CancelRun(operation.Id));
        else if (operation.ExpiryRequested)
            ledger.Send(address, new ExpireRun(operation.Id));
    }

    /// <summary>The queues of workers that are gone.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> LostAsync(CancellationToken cancellationToken) =>
        (await ledger.Inventory.WorkersAsync(cancellationToken)).Lost;

    private static bool MayOpenBacking(ICommand command) => command switch
    {
        CreateVolume create => create.Volume.BackingStore is not null,
        CreateVolumes create => create.Volumes.Any(volume => volume.BackingStore is not null),
        CloneVolume or ResizeVolume => true,
        _ => false,
    };

    /// <summary>As it is in this transaction.</summary>
    private static PoolDefinition DefinitionOf(PoolRow pool) => KnownJson<PoolDefinition>.Read(pool.Definition) with { Uuid = pool.Id, Name = pool.Name };
}
