using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Storage.Ledger;

namespace Storage.Standalone;

/// <summary>Ready means that pools can be defined: the worker of this very process has made itself known.</summary>
internal sealed class HostKnown(IDbContextFactory<LedgerDb> databases) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Workers.AsNoTracking().AnyAsync(row => !row.Lost, cancellationToken)
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("The worker has not announced itself yet.");
    }
}
