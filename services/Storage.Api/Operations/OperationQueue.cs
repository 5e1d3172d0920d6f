using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>What operations wait for, by the claims of the ledger.</summary>
public static class OperationQueue
{
    public static async Task<OperationView> ViewAsync(LedgerDb db, OperationRow operation, CancellationToken cancellationToken) =>
        (await ViewAsync(db, [operation], cancellationToken))[0];

    public static async Task<IReadOnlyList<OperationView>> ViewAsync(
        LedgerDb db, IReadOnlyList<OperationRow> operations, CancellationToken cancellationToken)
    {
        var queued = operations.Where(operation => operation.State == OperationState.Queued).Select(operation => operation.Id).ToList();
        var before = queued.Count == 0 ? [] : await BeforeAsync(db, queued, cancellationToken);
        return operations.Select(operation => OperationView.Of(operation, before.GetValueOrDefault(operation.Id, []))).ToList();
    }

    private static async Task<Dictionary<Guid, IReadOnlyList<Guid>>> BeforeAsync(
        LedgerDb db, IReadOnlyList<Guid> operations, CancellationToken cancellationToken)
    {
        var own = await db.Claims.AsNoTracking().Where(claim => operations.Contains(claim.OperationId)).ToListAsync(cancellationToken);
        if (own.Count == 0)
            return [];
        var resources = own.Select(claim => claim.Resource).Distinct().ToList();
        var last = own.Max(claim => claim.Sequence);
        var queues = (await db.Claims.AsNoTracking()
                .Where(claim => resources.Contains(claim.Resource) && claim.Sequence < last)
                .OrderBy(claim => claim.Sequence)
                .ToListAsync(cancellationToken))
            .ToLookup(claim => claim.Resource);
        return own.GroupBy(claim => claim.OperationId).ToDictionary(
            claims => claims.Key,
            claims => (IReadOnlyList<Guid>)claims
                .SelectMany(claim => queues[claim.Resource]
                    .TakeWhile(older => older.Sequence < claim.Sequence)
                    .Where(older => older.Exclusive || claim.Exclusive))
                .OrderBy(older => older.Sequence)
                .Select(older => older.OperationId)
                .Distinct()
                .ToList());
    }
}
