using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>What follows when a worker comes up, stays silent or comes back.</summary>
internal sealed class WorkerWatch(LedgerTransaction ledger, OperationQueue queue)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A worker says every few seconds that it is there. Only news is logged: a new process, other capabilities, a return. A new
    /// process gets its dispatched work again (it may have lost it), and its pools are due for autostart or a look; whoever comes back
    /// gets what stayed in line for it.
    /// </summary>
    public async Task AnnounceAsync(StorageEvent entry, CancellationToken cancellationToken)
    {
        var said = entry.Read<WorkerAnnounced>().Announcement;
        var worker = await ledger.Inventory.WorkerAsync(said.Host, said.Family, cancellationToken);
        var known = worker?.Announcement;
        var isNew = worker is null || worker.Instance != said.Instance;
        var returned = worker is { Lost: true };
        if (worker is not null && !isNew && !returned && known == StorageJson.ToElement(said).GetRawText())
        {
            // Alive by our own clock: a worker whose clock is wrong is not lost.
            worker.LastSeenAt = ledger.Now;
            return;
        }
        if (!await InventoryProjection.ApplyAsync(ledger.Inventory, entry, cancellationToken))
            return;
        (await ledger.Inventory.WorkerAsync(said.Host, said.Family, cancellationToken))!.LastSeenAt = ledger.Now;
        ledger.Log(entry);
        await ledger.Inventory.FlushAsync(cancellationToken);
        if (returned)
            await queue.AdvanceAllAsync(cancellationToken);
        if (!isNew)
            return;
        await SendAgainAsync(said, cancellationToken);
        foreach (var pool in await ledger.Db.Pools.Where(row => row.Host == said.Host).Select(row => row.Id).ToListAsync(cancellationToken))
            Due((await ledger.Inventory.PoolAsync(pool, cancellationToken))!, said.Family);
    }

    private void Due(PoolRow pool, PoolFamily family)
    {
        if (PoolTypes.Of(pool.Type).Family != family)
            return;
        pool.AutostartDue = pool.Autostart && !pool.Active;
        pool.AutostartFailures = 0;
        pool.NotBefore = ledger.Now;
    }

    private async Task SendAgainAsync(WorkerAnnouncement said, CancellationToken cancellationToken)
    {
        var (own, shared) = (Queues.Worker(said.Family, said.Host), Queues.Worker(said.Family));
        var open = await ledger.Db.Operations.Where(row => (row.Queue == own || (row.Queue == shared && row.Worker == said.Host))
            && (row.State == OperationState.Dispatched || row.State == OperationState.Running)).OrderBy(row => row.Sequence).ToListAsync(cancellationToken);
        foreach (var operation in open)
            await queue.Dispatch.SendAsync(operation, cancellationToken);
    }

    /// <summary>An automatic start that failed is tried again, at growing intervals.</summary>
    public static void OnAutostartEnded(PoolRow pool, OperationState state, StorageError? error, DateTimeOffset now)
    {
        if (state is OperationState.Succeeded)
        {
            pool.AutostartFailures = 0;
            return;
        }
        pool.Problem = error?.Message ?? pool.Problem;
        var wait = FirstRetry * Math.Pow(2, Math.Min(pool.AutostartFailures++, 10));
        pool.NotBefore = now + (wait < LongestRetry ? wait : LongestRetry);
    }
}
