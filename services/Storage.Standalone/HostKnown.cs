using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Storage.Ledger;
using Storage.Worker;

namespace Storage.Standalone;

/// <summary>Ready means that pools of every family can be defined: the workers of this very process have all made themselves known.</summary>
internal sealed class HostKnown(IDbContextFactory<LedgerDb> databases, IServiceProvider services) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var known = await db.Workers.AsNoTracking().Where(row => !row.Lost).Select(row => row.Instance).ToListAsync(cancellationToken);
        var missing = services.GetKeyedServices<FamilyWorker>(KeyedService.AnyKey).Where(worker => !known.Contains(worker.Instance)).ToList();
        return missing.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"The worker of the {string.Join(", ", missing.Select(worker => worker.Family).Order()).ToLowerInvariant()} family has not announced itself yet.");
    }
}
