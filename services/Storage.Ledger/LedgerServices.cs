using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Storage.Ledger;

/// <summary>Adds the ledger to a service: once, whoever asks for it.</summary>
public static class LedgerServices
{
    public static IServiceCollection AddLedger(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(LedgerWriter)))
            return services;
        var options = configuration.GetSection(LedgerOptions.Section).Get<LedgerOptions>() ?? new LedgerOptions();
        services.AddSingleton(options);
        if (options.IsSqlite)
            services.AddDatabase<SqliteLedgerDb>(db => Sqlite(db, options.Connection), databases => new SqliteDialect(databases));
        else
            services.AddDatabase<PostgresLedgerDb>(
                db => Postgres(db, options.Connection), databases => new PostgresDialect(Prepared(options.Connection), databases));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<LedgerSignal>();
        services.AddSingleton<KnownWorkers>();
        services.AddSingleton<LedgerWriter>();
        services.AddSingleton<CommandIntake>();
        services.AddSingleton<ReportProjector>();
        services.AddSingleton<RunHolds>();
        services.AddSingleton<LedgerSweep>();
        services.AddSingleton<LedgerDeadlines>();
        services.AddSingleton<LedgerRebuild>();
        services.AddSingleton<WorkerSender>();
        services.AddSingleton<EventFeed>();
        services.AddSingleton<VolumeReads>();
        services.AddSingleton<UsualDurations>();
        services.AddMetrics();
        services.AddSingleton<DeadLetterIntake>();
        services.AddSingleton<DeadLetterDecisions>();
        services.AddSingleton<LedgerMigration>();
        services.AddHostedService(provider => provider.GetRequiredService<LedgerMigration>());
        services.AddHostedService(provider => provider.GetRequiredService<WorkerSender>());
        services.AddHostedService(provider => provider.GetRequiredService<EventFeed>());
        services.AddHealthChecks().AddCheck<LedgerHealth>("ledger", tags: ["ready"]);
        return services;
    }

    internal static DbContextOptionsBuilder Postgres(DbContextOptionsBuilder builder, string connection) =>
        builder.UseNpgsql(Prepared(connection)).UseSnakeCaseNamingConvention();

    internal static DbContextOptionsBuilder<T> Postgres<T>(DbContextOptionsBuilder<T> builder, string connection)
        where T : DbContext
    {
        Postgres((DbContextOptionsBuilder)builder, connection);
        return builder;
    }

    internal static DbContextOptionsBuilder Sqlite(DbContextOptionsBuilder builder, string connection) =>
        builder.UseSqlite(connection).UseSnakeCaseNamingConvention();

    internal static DbContextOptionsBuilder<T> Sqlite<T>(DbContextOptionsBuilder<T> builder, string connection)
        where T : DbContext
    {
        Sqlite((DbContextOptionsBuilder)builder, connection);
        return builder;
    }

    /// <summary>
    /// What is asked again and again is planned once for each connection; how much of it, the connection string may say. Such a plan is made while a
    /// table is nearly empty and is kept when it has millions of rows: it takes an index from the beginning, where there is one.
    /// </summary>
    private static string Prepared(string connection)
    {
        const int Statements = 200;
        const string WithIndexes = "-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off -c plan_cache_mode=force_generic_plan";
        var settings = new NpgsqlConnectionStringBuilder(connection);
        if (settings.MaxAutoPrepare == 0)
            settings.MaxAutoPrepare = Statements;
        if (string.IsNullOrEmpty(settings.Options))
            settings.Options = WithIndexes;
        // Nothing is set for a connection alone, so that there is nothing to be set back by a statement of the server's before each use.
        settings.NoResetOnClose = true;
        return settings.ConnectionString;
    }

    private static void AddDatabase<T>(this IServiceCollection services, Action<DbContextOptionsBuilder> configure, Func<IDbContextFactory<LedgerDb>, LedgerDialect> dialect)
        where T : LedgerDb
    {
        services.AddPooledDbContextFactory<T>(configure);
        services.AddSingleton<IDbContextFactory<LedgerDb>>(provider => new LedgerDbFactory<T>(provider.GetRequiredService<IDbContextFactory<T>>()));
        services.AddSingleton(provider => dialect(provider.GetRequiredService<IDbContextFactory<LedgerDb>>()));
    }

    private sealed class LedgerDbFactory<T>(IDbContextFactory<T> inner) : IDbContextFactory<LedgerDb>
        where T : LedgerDb
    {
        public LedgerDb CreateDbContext() => inner.CreateDbContext();
    }

    private sealed class LedgerHealth(IDbContextFactory<LedgerDb> databases) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var db = await databases.CreateDbContextAsync(cancellationToken);
                await db.Cursors.AsNoTracking().AnyAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e)
            {
                return HealthCheckResult.Unhealthy("The database does not answer.", e);
            }
        }
    }
}
