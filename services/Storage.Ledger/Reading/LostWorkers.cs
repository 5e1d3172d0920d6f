using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>The queues that nobody serves: their workers have fallen silent.</summary>
public static class LostWorkers
{
    /// <returns>Each queue of which all workers are lost, with the time when the last of them was heard.</returns>
    public static async Task<IReadOnlyDictionary<string, DateTimeOffset>> QueuesAsync(LedgerDb db, CancellationToken cancellationToken)
    {
        var workers = await db.Workers.Select(row => new { row.Host, row.Family, row.Lost, row.LastSeenAt }).ToListAsync(cancellationToken);
        return Queues(workers.Select(row => (row.Host, row.Family, row.Lost, row.LastSeenAt)));
    }

    internal static Dictionary<string, DateTimeOffset> Queues(IEnumerable<(string Host, PoolFamily Family, bool Lost, DateTimeOffset LastSeenAt)> workers) =>
        workers
            .SelectMany(worker => new[] { Contracts.Queues.Worker(worker.Family, worker.Host), Contracts.Queues.Worker(worker.Family) }.Select(queue => (Queue: queue, worker)))
            .GroupBy(served => served.Queue, served => served.worker)
            .Where(queue => queue.All(worker => worker.Lost))
            .ToDictionary(queue => queue.Key, queue => queue.Max(worker => worker.LastSeenAt), StringComparer.Ordinal);
}
