using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;

namespace Storage.Ledger;

public class LedgerDb(DbContextOptions<LedgerDb> options) : DbContext(options)
{
    public DbSet<PoolRow> Pools => Set<PoolRow>();
    public DbSet<VolumeRow> Volumes => Set<VolumeRow>();
    public DbSet<OperationRow> Operations => Set<OperationRow>();
    public DbSet<ClaimRow> Claims => Set<ClaimRow>();
    public DbSet<WorkerRow> Workers => Set<WorkerRow>();
    public DbSet<EventRow> Events => Set<EventRow>();
}

public sealed class CommandIntake
{
#pragma warning disable CA1822, IDE0060
    public Task<OperationRow> AcceptAsync(ICommand command, string? traceParent, CancellationToken cancellationToken) => throw new NotSupportedException();
}

public sealed class EventFeed
{
    public IAsyncEnumerable<StorageEvent> ReadAsync(long after, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<OperationRow> WaitForEndAsync(Guid operationId, TimeSpan atMost, CancellationToken cancellationToken) => throw new NotSupportedException();
}

public static class LedgerServices
{
    public static IServiceCollection AddLedger(this IServiceCollection services, IConfiguration configuration) => services;
}
