using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The queue of operations: who waits for whom, whose turn it is, what happens at the end. Operations stand in line by their claims
/// (<see cref="ClaimRow"/>); within one transaction all of this is seen and changed together. Those whose turn it is go by <see cref="Dispatch"/>.
/// </summary>
internal sealed class OperationQueue(LedgerTransaction ledger)
{
    private const int Wave = 500;

    private readonly Dictionary<string, (bool Any, bool Exclusive)> live = new(ledger.Opening.Lines, StringComparer.Ordinal);
    private readonly List<OperationRow> entered = [];
    private readonly List<OperationRow> ended = [];

    /// <summary>The way of operations to their workers.</summary>
    public RunDispatch Dispatch { get; } = new(ledger);

    /// <summary>Reads who stands in line for these resources.</summary>
    public async Task LoadAsync(IEnumerable<string> resources, CancellationToken cancellationToken)
    {
        var missing = resources.Where(resource => !live.ContainsKey(resource)).Distinct().ToList();
        if (missing.Count == 0)
            return;
        var found = await ledger.Db.Claims.Where(claim => missing.Contains(claim.Resource))
            .Select(claim => new { claim.Resource, claim.Exclusive }).Distinct().ToListAsync(cancellationToken);
        foreach (var resource in missing)
            live[resource] = (false, false);
        foreach (var claim in found)
            live[claim.Resource] = (true, live[claim.Resource].Exclusive || claim.Exclusive);
    }

    /// <summary>Whether somebody stands before these claims.</summary>
    public async Task<bool> MustWaitAsync(IReadOnlyList<(string Resource, bool Exclusive)> claims, CancellationToken cancellationToken)
    {
        await LoadAsync(claims.Select(claim => claim.Resource), cancellationToken);
        return claims.Any(claim => claim.Exclusive ? live[claim.Resource].Any : live[claim.Resource].Exclusive);
    }

    /// <summary>Puts an operation in line.</summary>
    public void Enter(OperationRow operation, IReadOnlyList<(string Resource, bool Exclusive)> claims)
    {
        foreach (var (resource, exclusive) in claims)
        {
            ledger.Db.Claims.Add(new ClaimRow
            {
                Resource = resource,
                Sequence = operation.Sequence,
                OperationId = operation.Id,
                Exclusive = exclusive,
                Kind = operation.Kind,
            });
            live[resource] = (true, live[resource].Exclusive || exclusive);
        }
        entered.Add(operation);
    }

    /// <summary>Ends an operation that has not begun by its deadline.</summary>
    public void Expire(OperationRow operation) => End(operation, OperationState.Expired, new StorageError(
        ErrorCodes.Expired, "The operation had not begun by its deadline.", Retryable: true, Resource: operation.Resource));

    /// <summary>Ends an operation whose end is decided here; the end of a worker's operation comes with its own event.</summary>
    public void End(OperationRow operation, OperationState state, StorageError? error = null)
    {
        Close(operation, state, error, null);
        LogEnd(operation, state, error);
    }

    /// <summary>Ends an operation that was done at once: it never stood in line.</summary>
    public void EndAtOnce(OperationRow operation)
    {
        (operation.State, operation.EndedAt) = (OperationState.Succeeded, ledger.Now);
        LogEnd(operation, OperationState.Succeeded, null);
    }

    private void LogEnd(OperationRow operation, OperationState state, StorageError? error)
    {
        var (type, data) = state switch
        {
            OperationState.Succeeded => (nameof(OperationSucceeded), StorageJson.ToElement(new OperationSucceeded(operation.Id))),
            OperationState.Cancelled => (nameof(OperationCancelled), StorageJson.ToElement(new OperationCancelled(operation.Id))),
            OperationState.Expired => (nameof(OperationExpired), StorageJson.ToElement(new OperationExpired(operation.Id))),
            _ => (nameof(OperationFailed), StorageJson.ToElement(new OperationFailed(operation.Id, error!))),
        };
        ledger.Log(new StorageEvent(Guid.CreateVersion7(ledger.Now), type, Resources.Operation(operation.Id),
            ledger.NextRevision(Revisions.At(operation.AcceptedAt) - 1), ledger.Now, null, operation.Cause, operation.Id, data));
    }

    /// <summary>Writes the end down; <see cref="AdvanceAsync"/> then lets the next ones run.</summary>
    public void Close(OperationRow operation, OperationState state, StorageError? error, string? result)
    {
        operation.State = state;
        operation.Error = error is null ? null : JsonSerializer.Serialize(error, StorageJson.Options);
        operation.Result = result;
        operation.EndedAt = ledger.Now;
        operation.Plan = null;
        ended.Add(operation);
    }

    /// <summary>Lets everything run that waited only for what has ended, and the next of what an earlier wave has left.</summary>
    public async Task AdvanceAsync(CancellationToken cancellationToken)
    {
        await RunNextAsync(cancellationToken);
        if (!ledger.ReadyLeft)
            return;
        await ledger.Inventory.FlushAsync(cancellationToken);
        await RunReadyAsync(cancellationToken);
        await RunNextAsync(cancellationToken);
    }

    /// <summary>Lets run what waits for nothing: what a wave or a crash left over.</summary>
    public async Task AdvanceAllAsync(CancellationToken cancellationToken)
    {
        await RunReadyAsync(cancellationToken);
        await AdvanceAsync(cancellationToken);
    }

    private async Task RunNextAsync(CancellationToken cancellationToken)
    {
        while (ended.Count > 0)
        {
            foreach (var operation in ended)
                await ForgetUnstartedAsync(operation, cancellationToken);
            var gone = ended.Select(operation => operation.Id).ToList();
            ended.Clear();
            if (!ledger.Opening.AnyQueued && !entered.Exists(operation => operation.State is OperationState.Queued))
            {
                ledger.ReleaseAtCommit(gone);
                continue;
            }
            await ledger.Inventory.FlushAsync(cancellationToken);
            var next = await ledger.ReleaseAsync(gone, Wave, cancellationToken);
            if (next.Count == 0)
                continue;
            live.Clear();
            if (next.Count >= Wave)
                ledger.ReadyLeft = true;
            await RunAsync(await ReadyOfAsync(next, cancellationToken), cancellationToken);
        }
    }

    private async Task RunReadyAsync(CancellationToken cancellationToken)
    {
        live.Clear();
        var ready = await ReadyAsync(cancellationToken);
        ledger.ReadyLeft = ready.Count == Wave;
        await RunAsync(ready, cancellationToken);
    }

    /// <summary>A transient pool whose start came to nothing is forgotten.</summary>
    private async Task ForgetUnstartedAsync(OperationRow operation, CancellationToken cancellationToken)
    {
        if (operation is not { Command: nameof(DefinePool), PoolId: { } id, State: not OperationState.Succeeded }
            || await ledger.Inventory.PoolAsync(id, cancellationToken) is not { Persistent: false, Active: false } pool)
            return;
        var resource = Resources.Pool(id);
        // An older claim is that of whoever defined it.
        if (!await ledger.Db.Claims.AnyAsync(claim => claim.Resource == resource && claim.Sequence < operation.Sequence, cancellationToken))
            await LedgerCommands.UndefineAsync(ledger, pool, EventCause.System, operation.Id, cancellationToken);
    }

    /// <summary>The first wave of what waits for nothing, and whose worker is there.</summary>
    private async Task<List<OperationRow>> ReadyAsync(CancellationToken cancellationToken)
    {
        var gone = (await Dispatch.LostAsync(cancellationToken)).Keys.ToList();
        return await ledger.Db.Operations
            .Where(row => row.State == OperationState.Queued && !Hindered().Any(claim => claim.OperationId == row.Id) && (row.Queue == null || !gone.Contains(row.Queue)))
            .OrderBy(row => row.Sequence).Take(Wave).ToListAsync(cancellationToken);
    }

    /// <summary>Those of these operations that wait for nothing, and whose worker is there. All is found by their ids: the others may be many.</summary>
    private async Task<List<OperationRow>> ReadyOfAsync(IReadOnlyList<Guid> operations, CancellationToken cancellationToken)
    {
        var gone = await Dispatch.LostAsync(cancellationToken);
        var hindered = await Hindered().Where(claim => operations.Contains(claim.OperationId)).Select(claim => claim.OperationId).Distinct()
            .ToListAsync(cancellationToken);
        var free = operations.Except(hindered).ToList();
        var rows = await ledger.Db.Operations.Where(row => free.Contains(row.Id)).ToListAsync(cancellationToken);
        return [.. rows.Where(row => row.State is OperationState.Queued && (row.Queue is null || !gone.ContainsKey(row.Queue))).OrderBy(row => row.Sequence)];
    }

    /// <summary>The claims behind older ones of which one is exclusive.</summary>
    private IQueryable<ClaimRow> Hindered() => ledger.Db.Claims.Where(mine =>
        ledger.Db.Claims.Any(older => older.Resource == mine.Resource && older.Exclusive && older.Sequence < mine.Sequence)
        || (mine.Exclusive && ledger.Db.Claims.Any(older => older.Resource == mine.Resource && older.Sequence < mine.Sequence)));

    private async Task RunAsync(IReadOnlyList<OperationRow> ready, CancellationToken cancellationToken)
    {
        foreach (var operation in ready)
        {
            if (operation.Deadline <= ledger.Now)
            {
                Expire(operation);
                continue;
            }
            try
            {
                var command = Submission.Read(operation);
                var target = await new TargetResolver(ledger).ResolveAsync(command, cancellationToken);
                await new Preconditions(ledger).CheckAsync(command, target, cancellationToken);
                if (operation.Queue is not null)
                {
                    await Dispatch.DispatchAsync(operation, command, cancellationToken);
                    continue;
                }
                await new LedgerCommands(ledger).RunAsync(operation, command, target, cancellationToken);
                End(operation, OperationState.Succeeded);
            }
            catch (StorageException e)
            {
                End(operation, OperationState.Failed, e.Error);
            }
        }
    }
}
