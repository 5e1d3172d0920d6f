using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Storage.Ledger;

/// <summary>Brings the schema up to date before anything else starts; waits for a database that is not up yet.</summary>
public sealed partial class LedgerMigration(IDbContextFactory<LedgerDb> databases, LedgerDialect dialect, ILogger<LedgerMigration> logger)
    : IHostedService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await using var db = await databases.CreateDbContextAsync(cancellationToken);
                await dialect.MigrateAsync(db, cancellationToken);
                return;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is System.Data.Common.DbException or InvalidOperationException { InnerException: System.Data.Common.DbException })
            {
                NotYet(logger, e.Message);
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(4005, LogLevel.Warning, "The database cannot be used yet: {Reason}")]
    private static partial void NotYet(ILogger logger, string reason);
}
