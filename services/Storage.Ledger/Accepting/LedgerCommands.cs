using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>The commands that no host takes part in, once <see cref="Preconditions"/> are met.</summary>
internal sealed class LedgerCommands(LedgerTransaction ledger)
{
    public Task RunAsync(OperationRow operation, ICommand command, Target target, CancellationToken cancellationToken) => command switch
    {
        DefinePool define => DefineAsync(operation, define, target, cancellationToken),
        UndefinePool => UndefineAsync(operation, target.Pool!, cancellationToken),
        SetPoolAutostart set => SetAutostartAsync(operation, set, target.Pool!, cancellationToken),
        _ => throw new InvalidOperationException($"{operation.Command} runs on a host."),
    };

    /// <summary>Keeps the definition; an active pool takes it up when it is started next.</summary>
    public async Task DefineAsync(OperationRow operation, DefinePool define, Target target, CancellationToken cancellationToken)
    {
        var (definition, known) = (define.Definition, target.Pool);
        var pool = target.PoolId!.Value;
        await ledger.RaiseAsync(
            new PoolDefined(pool, definition.Name!, target.Host, definition with { Uuid = pool }, (known?.Version ?? 0) + 1,
                known?.Persistent ?? !define.Transient, known?.Autostart ?? false),
            Resources.Pool(pool), ledger.NextRevision(known?.Revision ?? 0), target.Host, operation.Cause, operation.Id, cancellationToken);
        ledger.Inventory.FlushLater();
    }

    /// <summary>Forgets a pool with its volumes; what is on the host stays.</summary>
    public static async Task UndefineAsync(
        LedgerTransaction ledger, PoolRow pool, EventCause cause, Guid? commandId, CancellationToken cancellationToken) =>
        await ledger.RaiseAsync(new PoolUndefined(pool.Id, pool.Name, pool.Host),
            Resources.Pool(pool.Id), ledger.NextRevision(pool.Revision), pool.Host, cause, commandId, cancellationToken);

    private Task UndefineAsync(OperationRow operation, PoolRow pool, CancellationToken cancellationToken) =>
        UndefineAsync(ledger, pool, operation.Cause, operation.Id, cancellationToken);

    private Task<StorageEvent> SetAutostartAsync(OperationRow operation, SetPoolAutostart set, PoolRow pool, CancellationToken cancellationToken) =>
        ledger.RaiseAsync(new PoolAutostartSet(pool.Id, set.Autostart),
            Resources.Pool(pool.Id), ledger.NextRevision(pool.Revision), pool.Host, operation.Cause, operation.Id, cancellationToken);
}
