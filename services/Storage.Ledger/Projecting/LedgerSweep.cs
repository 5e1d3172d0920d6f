using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>What is done from time to time: work sent again, silent workers noticed, pools started and looked at when they are due, old dead letters removed.</summary>
public sealed class LedgerSweep(LedgerWriter writer, CommandIntake intake, LedgerOptions options)
{
    public static readonly TimeSpan KeepDeadLetters = TimeSpan.FromDays(30);

    private const int PoolsPerSweep = 200;
    private static readonly TimeSpan FirstSendAgain = TimeSpan.FromSeconds(30);

    /// <summary>What is further ahead was written by the clock of another process, which is or was wrong: ours counts.</summary>
    private static readonly TimeSpan FurthestAhead = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Sends again what a living worker has not answered for a while, at growing intervals, gives what a lost replica holds to the
    /// others, and lets run what waits for nothing. Makes good whatever was lost between a commit and a send.
    /// </summary>
    public async Task SendAgainAsync(CancellationToken cancellationToken)
    {
        await using var ledger = await writer.BeginAsync(cancellationToken);
        var queue = new OperationQueue(ledger);
        var (silent, ahead) = (ledger.Now - FirstSendAgain, ledger.Now + FurthestAhead);
        var lost = (await LostWorkers.QueuesAsync(ledger.Db, cancellationToken)).Keys.ToList();
        foreach (var operation in await HeldByLostAsync(ledger, lost, cancellationToken))
            await queue.Dispatch.SendAsync(operation, cancellationToken);
        // What runs at a replica is sent too: nothing else tells that the replica has not forgotten it. And what was cancelled: that the
        // worker has heard of the cancel is told by the end alone. The states come first: only by these, what has ended is not looked at.
        var open = await ledger.Db.Operations
            .Where(row => (row.State == OperationState.Dispatched || row.State == OperationState.Running)
                && (row.State == OperationState.Dispatched || row.CancelRequested || Queues.Shared.Contains(row.Queue!))
                && (row.SentAt < silent || row.SentAt > ahead) && !lost.Contains(row.Queue!))
            .OrderBy(row => row.SentAt).Take(1000).ToListAsync(cancellationToken);
        foreach (var operation in open.Where(row => row.SentAt > ahead || row.SentAt < ledger.Now - FirstSendAgain * Math.Pow(2, Math.Min(row.Sent - 1, 6))))
            await queue.Dispatch.SendAsync(operation, cancellationToken);
        await queue.AdvanceAllAsync(cancellationToken);
        await ledger.CommitAsync(cancellationToken);
    }

    /// <summary>Notices workers that have been silent for <see cref="LedgerOptions.LostAfter"/>.</summary>
    public async Task WatchWorkersAsync(CancellationToken cancellationToken)
    {
        await using var ledger = await writer.BeginAsync(cancellationToken);
        var silent = ledger.Now - options.LostAfter;
        // Just above its last word, not by our clock: a worker whose clock is behind must be able to come back.
        foreach (var worker in await ledger.Db.Workers.Where(row => !row.Lost && row.LastSeenAt < silent).ToListAsync(cancellationToken))
            await ledger.RaiseAsync(new WorkerLost(worker.Host, worker.Family, worker.LastSeenAt), Resources.Worker(worker.Host, worker.Family),
                worker.Revision + 1, worker.Host, EventCause.System, null, cancellationToken);
        await ledger.CommitAsync(cancellationToken);
    }

    /// <summary>Starts the pools whose autostart is due, and looks at those that were not seen for long and that nobody uses.</summary>
    public async Task AttendPoolsAsync(RefreshIntervals every, CancellationToken cancellationToken)
    {
        foreach (var command in await DueAsync(every, cancellationToken))
        {
            try
            {
                await intake.AcceptAsync(command, null, cancellationToken, EventCause.System);
            }
            catch (StorageException)
            {
                // Somebody was faster, or it cannot be now: it stays due.
            }
        }
    }

    /// <summary>Forgets the dead letters that were decided about before <see cref="KeepDeadLetters"/>. Open ones stay.</summary>
    public async Task RemoveDeadLettersAsync(CancellationToken cancellationToken)
    {
        await using var ledger = await writer.BeginAsync(cancellationToken);
        var before = ledger.Now - KeepDeadLetters;
        await ledger.Db.DeadLetters.Where(row => row.ClosedAt < before).ExecuteDeleteAsync(cancellationToken);
        await ledger.CommitAsync(cancellationToken);
    }

    /// <summary>What any replica may do, is held by a lost one, and was not sent since; where another replica lives.</summary>
    private async Task<List<OperationRow>> HeldByLostAsync(LedgerTransaction ledger, List<string> lost, CancellationToken cancellationToken)
    {
        var held = new List<OperationRow>();
        foreach (var worker in await ledger.Db.Workers.Where(row => row.Lost).ToListAsync(cancellationToken))
        {
            var (shared, lostAt) = (Queues.Worker(worker.Family), worker.LastSeenAt + options.LostAfter);
            if (!lost.Contains(shared))
                held.AddRange(await ledger.Db.Operations
                    .Where(row => row.Queue == shared && row.Worker == worker.Host && row.SentAt < lostAt
                        && (row.State == OperationState.Dispatched || row.State == OperationState.Running))
                    .OrderBy(row => row.Sequence).Take(1000).ToListAsync(cancellationToken));
        }
        return held;
    }

    private async Task<List<ICommand>> DueAsync(RefreshIntervals every, CancellationToken cancellationToken)
    {
        await using var ledger = await writer.BeginAsync(cancellationToken);
        var (now, ahead) = (ledger.Now, ledger.Now + FurthestAhead);
        var (stale, staleWatched) = (every.NoneSince(watched: false, now), every.NoneSince(watched: true, now));
        var candidates = await ledger.Db.Pools
            .Where(row => (row.NotBefore == null || row.NotBefore <= now || row.NotBefore > ahead)
                && ((row.AutostartDue && row.State == PoolState.Inactive)
                    || (row.State != PoolState.Inactive
                        && (row.ObservedAt == null || row.NotBefore != null
                            || (row.Watched ? row.ObservedAt < staleWatched : row.ObservedAt < stale))))
                && !ledger.Db.Operations.Any(operation => operation.PoolId == row.Id
                    && (operation.State == OperationState.Queued || operation.State == OperationState.Dispatched || operation.State == OperationState.Running)))
            .Select(row => new { row.Id, row.Host, row.Type, row.State, row.Watched, row.ObservedAt, row.NotBefore })
            .ToListAsync(cancellationToken);
        var alive = await AliveHostsAsync(ledger, cancellationToken);
        var ids = candidates
            .Where(row => (row.State is PoolState.Inactive || row.NotBefore is not null
                    || row.ObservedAt is not { } seen || every.DueAt(row.Id, row.Watched, seen) <= now)
                && alive.Contains((row.Host, PoolTypes.Of(row.Type).Family)))
            // Those that somebody waits for first, then the oldest.
            .OrderBy(row => row.NotBefore ?? DateTimeOffset.MaxValue).ThenBy(row => row.ObservedAt).Take(PoolsPerSweep).Select(row => row.Id).ToList();
        var due = await ledger.Db.Pools.Where(row => ids.Contains(row.Id)).ToListAsync(cancellationToken);
        foreach (var pool in due)
            pool.NotBefore = pool.Active ? null : now + TimeSpan.FromSeconds(2);
        await ledger.CommitAsync(cancellationToken);
        return [.. due.Select(pool => pool.Active
            ? (ICommand)new RefreshPool(null, pool.Id.ToString())
            : new StartPool(null, pool.Id.ToString()))];
    }

    private static async Task<HashSet<(string, PoolFamily)>> AliveHostsAsync(LedgerTransaction ledger, CancellationToken cancellationToken) =>
        [.. (await ledger.Db.Workers.Where(row => !row.Lost).Select(row => new { row.Host, row.Family }).ToListAsync(cancellationToken))
            .Select(row => (row.Host, row.Family))];
}
