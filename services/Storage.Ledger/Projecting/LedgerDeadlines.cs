using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Holds operations to their deadlines. What still stands in line expires; of what is with its worker already, the worker is asked to
/// end it, should it not have begun. What has begun goes on.
/// </summary>
public sealed partial class LedgerDeadlines(
    LedgerWriter writer, IDbContextFactory<LedgerDb> databases, TimeProvider clock, ILogger<LedgerDeadlines> logger)
{
    private const int Batch = 500;

    /// <summary>Expires what is due; writes nothing where nothing is.</summary>
    /// <returns>The next deadline, which may have passed already when there was much to do; null where there is none.</returns>
    public async Task<DateTimeOffset?> ExpireAsync(CancellationToken cancellationToken)
    {
        var next = await NextAsync(cancellationToken);
        if (next is null || next > clock.GetUtcNow())
            return next;
        await using (var ledger = await writer.BeginAsync(cancellationToken))
        {
            var queue = new OperationQueue(ledger);
            var now = ledger.Now;
            var due = await Held(ledger.Db).Where(row => row.Deadline <= now).OrderBy(row => row.Deadline).ThenBy(row => row.Sequence).Take(Batch)
                .ToListAsync(cancellationToken);
            foreach (var operation in due)
            {
                if (operation.Unbegun)
                {
                    queue.Expire(operation);
                    continue;
                }
                operation.ExpiryRequested = true;
                ledger.Send(operation.HolderQueue!, new ExpireRun(operation.Id));
            }
            await queue.AdvanceAsync(cancellationToken);
            await ledger.CommitAsync(cancellationToken);
            DeadlinesPassed(logger, due.Count, due.Count(row => row.ExpiryRequested));
        }
        return await NextAsync(cancellationToken);
    }

    private async Task<DateTimeOffset?> NextAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await Held(db).OrderBy(row => row.Deadline).Select(row => row.Deadline).FirstOrDefaultAsync(cancellationToken);
    }

    /// <summary>What has not begun, as far as is known here, and has a deadline that nothing was done about.</summary>
    private static IQueryable<OperationRow> Held(LedgerDb db) => db.Operations.Where(row => row.EndedAt == null && row.Deadline != null
        && (row.State == OperationState.Queued || (row.State == OperationState.Dispatched && !row.ExpiryRequested && !row.CancelRequested)));

    [LoggerMessage(4008, LogLevel.Information, "The deadlines of {Count} operations have passed; {Dispatched} of them are with their workers.")]
    private static partial void DeadlinesPassed(ILogger logger, int count, int dispatched);
}
