using Microsoft.EntityFrameworkCore;

namespace Storage.Ledger;

/// <summary>Makes the tables of pools, volumes and workers anew from the event log alone.</summary>
public sealed class LedgerRebuild(LedgerWriter writer)
{
    private const int Page = 2000;

    /// <summary>All or nothing: nobody sees a table half-way, and writers wait.</summary>
    /// <returns>The events applied.</returns>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        await using var ledger = await writer.BeginAsync(cancellationToken);
        var db = ledger.Db;
        var seen = await db.Workers.ToDictionaryAsync(row => (row.Host, row.Family), row => row.LastSeenAt, cancellationToken);
        await db.Volumes.ExecuteDeleteAsync(cancellationToken);
        await db.Pools.ExecuteDeleteAsync(cancellationToken);
        await db.Workers.ExecuteDeleteAsync(cancellationToken);
        // Those of which the log knows nothing are gone as well.
        await ledger.Inventory.ChangeWorkersAsync(cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
        long after = 0, applied = 0;
        while (await db.Events.AsNoTracking().Where(row => row.Sequence > after).OrderBy(row => row.Sequence).Take(Page)
            .ToListAsync(cancellationToken) is { Count: > 0 } page)
        {
            // A fresh state for each page keeps memory bounded however long the log is.
            var state = new InventoryState(db);
            foreach (var row in page)
                if (await InventoryProjection.ApplyAsync(state, EventFeed.Read(row), cancellationToken))
                    applied++;
            after = page[^1].Sequence;
            await db.SaveChangesAsync(cancellationToken);
            db.ChangeTracker.Clear();
        }
        foreach (var worker in await db.Workers.ToListAsync(cancellationToken))
            worker.LastSeenAt = seen.GetValueOrDefault((worker.Host, worker.Family), worker.LastSeenAt);
        await ledger.CommitAsync(cancellationToken);
        return applied;
    }
}
