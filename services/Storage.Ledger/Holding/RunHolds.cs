using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Says which replica runs an operation that any of them may take: the first living one that asks, for as long as it lives. One
/// that is lost loses what it holds to whoever asks next. What only one host may run is its worker's until it has ended.
/// </summary>
public sealed partial class RunHolds : IAsyncDisposable
{
    private const int BatchLimit = 64;

    private readonly LedgerWriter writer;
    private readonly LedgerOptions options;
    private readonly ILogger<RunHolds> logger;
    private readonly GroupCommit<HoldRun, RunHold> commits;

    public RunHolds(LedgerWriter writer, LedgerOptions options, ILogger<RunHolds> logger)
    {
        (this.writer, this.options, this.logger) = (writer, options, logger);
        commits = new(WriteAsync, BatchLimit);
    }

    /// <summary>How long a worker goes on after its last announcement: well below the time after which it is lost.</summary>
    private TimeSpan Lease => options.LostAfter * 0.6;

    /// <summary>Returns when the answer is committed. The same question again gets the same answer while nothing has changed.</summary>
    public Task<RunHold> AskAsync(HoldRun asked, CancellationToken cancellationToken) => commits.AddAsync(asked, cancellationToken);

    public ValueTask DisposeAsync() => commits.DisposeAsync();

    private async Task<IReadOnlyList<Outcome<RunHold>>> WriteAsync(IReadOnlyList<HoldRun> questions, CancellationToken cancellationToken)
    {
        var wanted = new Wanted();
        wanted.Operations.UnionWith(questions.Select(asked => asked.OperationId));
        await using var ledger = await writer.BeginAsync(wanted, cancellationToken);
        var answers = new List<Outcome<RunHold>>(questions.Count);
        foreach (var asked in questions)
            answers.Add(await AnswerAsync(ledger, asked, ledger.Opening.Operations.GetValueOrDefault(asked.OperationId), cancellationToken));
        await ledger.CommitAsync(cancellationToken);
        return answers;
    }

    private async Task<RunHold> AnswerAsync(LedgerTransaction ledger, HoldRun asked, OperationRow? operation, CancellationToken cancellationToken)
    {
        var decision = await DecideAsync(ledger, asked, operation, cancellationToken);
        if (decision is not HoldDecision.Granted)
            return new RunHold(asked.OperationId, decision);
        if (operation!.Shared)
            Hold(operation, asked);
        return new RunHold(operation.Id, decision, operation.HeldBefore, operation.CancelRequested,
            await RevisionAsync(ledger, operation, cancellationToken), (long)Lease.TotalMilliseconds, operation.Plan);
    }

    private void Hold(OperationRow operation, HoldRun asked)
    {
        if (operation.Worker is { } before && before != asked.Host)
            Moved(logger, operation.Command, operation.Id, before, asked.Host);
        operation.HeldBefore |= operation.WorkerInstance is { } holder && holder != asked.Instance;
        (operation.Worker, operation.WorkerInstance) = (asked.Host, asked.Instance);
        operation.Plan = asked.Plan ?? operation.Plan;
    }

    private static async Task<HoldDecision> DecideAsync(
        LedgerTransaction ledger, HoldRun asked, OperationRow? operation, CancellationToken cancellationToken)
    {
        if (operation is null or { Ended: true }
            || operation.Queue != (operation.Shared ? Queues.Worker(asked.Family) : Queues.Worker(asked.Family, asked.Host)))
            return HoldDecision.Ended;
        if (operation.State is OperationState.Queued)
            return HoldDecision.Moved;
        // What is given to a worker of which nobody would notice that it is lost could never be given to another.
        if (await ledger.Inventory.WorkerAsync(asked.Host, asked.Family, cancellationToken) is not { Lost: false } asking || asking.Instance != asked.Instance)
            return HoldDecision.Wait;
        var held = operation.Worker is { } holder && holder != asked.Host
            && await ledger.Inventory.WorkerAsync(holder, asked.Family, cancellationToken) is { Lost: false };
        return held ? HoldDecision.Moved : HoldDecision.Granted;
    }

    /// <summary>
    /// Above what is known of everything that it may change: replicas have clocks of their own, and the event of one whose clock is
    /// behind must not be taken for late.
    /// </summary>
    private static async Task<long> RevisionAsync(LedgerTransaction ledger, OperationRow operation, CancellationToken cancellationToken)
    {
        var known = Math.Max(Revisions.At(ledger.Now), Revisions.At(operation.AcceptedAt));
        if (operation.PoolId is not { } id)
            return known;
        var pool = await ledger.Inventory.PoolAsync(id, cancellationToken);
        var volumes = operation.Volume is { } name
            ? (await ledger.Inventory.VolumeAsync(id, name, cancellationToken))?.Revision
            : await ledger.Db.Volumes.Where(row => row.PoolId == id).MaxAsync(row => (long?)row.Revision, cancellationToken);
        return Math.Max(known, Math.Max(pool?.Revision ?? 0, volumes ?? 0));
    }

    [LoggerMessage(4009, LogLevel.Information, "{Command} {OperationId} moves from {Before}, which is lost, to {Host}.")]
    private static partial void Moved(ILogger logger, string command, Guid operationId, string before, string host);
}
