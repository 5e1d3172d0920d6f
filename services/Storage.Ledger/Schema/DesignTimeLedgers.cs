using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Storage.Ledger;

/// <summary>For <c>dotnet ef migrations add</c> alone; nothing is connected to.</summary>
internal sealed class DesignTimePostgres : IDesignTimeDbContextFactory<PostgresLedgerDb>
{
    public PostgresLedgerDb CreateDbContext(string[] args) =>
        new(LedgerServices.Postgres(new DbContextOptionsBuilder<PostgresLedgerDb>(), "Host=design").Options);
}

/// <inheritdoc cref="DesignTimePostgres"/>
internal sealed class DesignTimeSqlite : IDesignTimeDbContextFactory<SqliteLedgerDb>
{
    public SqliteLedgerDb CreateDbContext(string[] args) =>
        new(LedgerServices.Sqlite(new DbContextOptionsBuilder<SqliteLedgerDb>(), "Data Source=design").Options);
}
