using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Accepts a batch of commands within one transaction: each becomes an operation, is known already, or is refused.</summary>
internal sealed class Acceptance(LedgerTransaction ledger)
{
    private readonly OperationQueue queue = new(ledger);
    private readonly TargetResolver resolver = new(ledger);
    private readonly Preconditions preconditions = new(ledger);
    private readonly Dictionary<Guid, OperationRow> known = new(ledger.Opening.Operations);

    public async Task<IReadOnlyList<Outcome<OperationRow>>> AcceptAsync(
        IReadOnlyList<Submission> submissions, CancellationToken cancellationToken)
    {
        await LoadAsync(submissions, cancellationToken);
        var outcomes = new List<Outcome<OperationRow>>(submissions.Count);
        foreach (var submission in submissions)
        {
            try
            {
                outcomes.Add(await AcceptAsync(submission, cancellationToken));
            }
            catch (StorageException e)
            {
                outcomes.Add(e);
            }
        }
        await queue.AdvanceAsync(cancellationToken);
        return outcomes;
    }

    private async Task<OperationRow> AcceptAsync(Submission submission, CancellationToken cancellationToken)
    {
        if (known.TryGetValue(submission.Id, out var earlier))
            return earlier.Fingerprint == submission.Fingerprint ? earlier : throw new StorageException(new StorageError(
                ErrorCodes.IdempotencyMismatch, "This id was used for another command.", "commandId", Resource: Resources.Operation(earlier.Id)));
        if (submission.Deadline <= ledger.Now)
            throw new StorageException(ErrorCodes.Expired, "The deadline has passed.", "deadline");
        var (command, type) = (submission.Command, submission.Type);
        var target = await resolver.ResolveAsync(command, cancellationToken);
        if (target.Type is { } poolType)
            Preconditions.CheckType(type, poolType);
        if (target.Pool is { } existing)
            command = CommandRules.CompleteFor(PoolTypes.Of(existing.Type), command);
        var claims = target.Claims(type.Scope).ToList();
        var waits = await queue.MustWaitAsync(claims, cancellationToken);
        if (!waits)
            await preconditions.CheckAsync(command, target, cancellationToken);
        var toCancel = command is CancelOperation cancel ? await ToCancelAsync(cancel, cancellationToken) : null;

        var operation = NewOperation(submission, target);
        Keep(operation);
        if (!waits && operation.Queue is null)
        {
            if (toCancel is not null)
                Cancel(toCancel);
            else
                await new LedgerCommands(ledger).RunAsync(operation, command, target, cancellationToken);
            queue.EndAtOnce(operation);
            return operation;
        }
        if (command is DefinePool { Transient: true } transient)
            await new LedgerCommands(ledger).DefineAsync(operation, transient, target, cancellationToken);
        queue.Enter(operation, claims);
        if (!waits && !await queue.Dispatch.IsLostAsync(operation, cancellationToken))
            await queue.Dispatch.DispatchAsync(operation, command, cancellationToken);
        return operation;
    }

    /// <summary>Reads for the whole batch what its commands will be checked against.</summary>
    private async Task LoadAsync(IReadOnlyList<Submission> submissions, CancellationToken cancellationToken)
    {
        var resources = new List<string>();
        var volumes = new List<(Guid Pool, string Name)>();
        foreach (var submission in submissions)
        {
            Target target;
            try
            {
                target = await resolver.ResolveAsync(submission.Command, cancellationToken);
            }
            catch (StorageException)
            {
                continue; // Its own turn says why, and may find what the batch has made by then.
            }
            resources.AddRange(target.Claims(submission.Type.Scope).Select(claim => claim.Resource));
            if (target.Pool is { } pool)
                volumes.AddRange(target.Volumes.Select(name => (pool.Id, name)));
        }
        await queue.LoadAsync(resources, cancellationToken);
        foreach (var pool in volumes.GroupBy(volume => volume.Pool))
            await ledger.Inventory.LoadVolumesAsync(pool.Key, pool.Select(volume => volume.Name), cancellationToken);
    }

    private OperationRow NewOperation(Submission submission, Target target) => new()
    {
        Id = submission.Id,
        Sequence = ledger.NextOperationSequence(),
        Command = submission.Type.Name,
        Arguments = submission.Arguments,
        Fingerprint = submission.Fingerprint,
        State = OperationState.Queued,
        Resource = target.ResourceOf(submission),
        PoolId = target.PoolId,
        Volume = target.Volumes.Count == 1 ? target.Volumes[0] : null,
        Queue = CommandTypes.RunsOnHost(submission.Command) ? target.Queue : null,
        Kind = OperationKind.Of(submission.Type.Name, target.Type),
        Cause = submission.Cause,
        Deadline = submission.Deadline,
        AcceptedAt = ledger.Now,
        TraceParent = submission.TraceParent,
    };

    private void Keep(OperationRow operation)
    {
        ledger.Db.Operations.Add(operation);
        known[operation.Id] = operation;
        ledger.Log(new StorageEvent(
            Guid.CreateVersion7(ledger.Now), nameof(OperationAccepted), Resources.Operation(operation.Id), ledger.NextRevision(0) - 1, ledger.Now, null,
            operation.Cause, operation.Id, StorageJson.ToElement(new OperationAccepted(operation.Id, operation.Command, operation.Resource))));
    }

    private async Task<OperationRow> ToCancelAsync(CancelOperation cancel, CancellationToken cancellationToken)
    {
        var operation = known.GetValueOrDefault(cancel.OperationId)
            ?? await ledger.Db.Operations.SingleOrDefaultAsync(row => row.Id == cancel.OperationId, cancellationToken)
            ?? throw new StorageException(ErrorCodes.OperationNotFound, $"There is no operation {cancel.OperationId}.", "operationId");
        return operation.Ended
            ? throw new StorageException(new StorageError(ErrorCodes.InvalidState,
                $"Operation {operation.Id} has ended.", "operationId", Resource: Resources.Operation(operation.Id)))
            : operation;
    }

    private void Cancel(OperationRow operation)
    {
        operation.CancelRequested = true;
        if (operation.Unbegun)
            queue.End(operation, OperationState.Cancelled);
        else
            ledger.Send(operation.HolderQueue!, new CancelRun(operation.Id));
    }
}
