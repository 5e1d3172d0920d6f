using Microsoft.EntityFrameworkCore;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// How long operations of a kind usually take: the median of the last <see cref="Recent"/> that succeeded, from their dispatch to their
/// end. Read anew after <see cref="KeptFor"/>, for the kinds that stand in line now.
/// </summary>
public sealed class UsualDurations(TimeProvider clock)
{
    private const int Recent = 50;
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    private volatile Known known = new(DateTimeOffset.MinValue, new Dictionary<string, double>());

    /// <returns>Seconds by <see cref="OperationRow.Kind"/>; kinds without history are not there.</returns>
    public async Task<IReadOnlyDictionary<string, double>> ReadAsync(LedgerDb db, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (now - known.At < KeptFor)
            return known.Seconds;
        var seconds = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var kind in await db.Claims.Where(claim => claim.Kind != "").Select(claim => claim.Kind).Distinct().ToListAsync(cancellationToken))
        {
            var recent = await db.Operations.Where(row => row.Kind == kind && row.State == OperationState.Succeeded && row.DispatchedAt != null)
                .OrderByDescending(row => row.Sequence).Take(Recent).Select(row => new { row.DispatchedAt, row.EndedAt })
                .ToListAsync(cancellationToken);
            if (recent.Count > 0)
                seconds[kind] = Median([.. recent.Select(row => (row.EndedAt!.Value - row.DispatchedAt!.Value).TotalSeconds).Order()]);
        }
        known = new Known(now, seconds);
        return seconds;
    }

    private static double Median(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;

    private sealed record Known(DateTimeOffset At, IReadOnlyDictionary<string, double> Seconds);
}
