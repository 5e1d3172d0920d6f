using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The schema, the same on PostgreSQL and SQLite. Written only through <see cref="LedgerTransaction"/>, but for
/// what has a lock of its own (<see cref="LedgerLock"/>); read by anyone.
/// </summary>
public abstract class LedgerDb(DbContextOptions options) : DbContext(options)
{
    public DbSet<PoolRow> Pools => Set<PoolRow>();
    public DbSet<VolumeRow> Volumes => Set<VolumeRow>();
    public DbSet<WorkerRow> Workers => Set<WorkerRow>();
    public DbSet<OperationRow> Operations => Set<OperationRow>();
    public DbSet<ClaimRow> Claims => Set<ClaimRow>();
    public DbSet<EventRow> Events => Set<EventRow>();
    public DbSet<CursorRow> Cursors => Set<CursorRow>();
    public DbSet<DeadLetterRow> DeadLetters => Set<DeadLetterRow>();
    public DbSet<SecretRow> Secrets => Set<SecretRow>();

    /// <summary>Those of a pool's volumes that have one of these names: each is found by itself, whatever else is in the pool.</summary>
    public abstract IQueryable<VolumeRow> VolumesNamed(Guid pool, IReadOnlyCollection<string> names);

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        // SQLite cannot order by DateTimeOffset, PostgreSQL takes only UTC: one converter serves both.
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcConverter>();
        configurationBuilder.Properties<PoolType>().HaveConversion<string>();
        configurationBuilder.Properties<PoolFamily>().HaveConversion<string>();
        configurationBuilder.Properties<PoolState>().HaveConversion<string>();
        configurationBuilder.Properties<VolumeKind>().HaveConversion<string>();
        configurationBuilder.Properties<OperationState>().HaveConversion<string>();
        configurationBuilder.Properties<EventCause>().HaveConversion<string>();
        configurationBuilder.Properties<DeadLetterState>().HaveConversion<string>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<PoolRow>(pool =>
        {
            pool.ToTable("pools").HasKey(row => row.Id);
            pool.HasIndex(row => new { row.Host, row.Name }).IsUnique();
            pool.HasIndex(row => new { row.Name, row.Host });
            pool.Ignore(row => row.Active);
        });
        modelBuilder.Entity<VolumeRow>(volume =>
        {
            volume.ToTable("volumes").HasKey(row => new { row.PoolId, row.Name });
            volume.HasIndex(row => row.BackingPath).HasFilter("backing_path IS NOT NULL");
        });
        modelBuilder.Entity<WorkerRow>(worker => worker.ToTable("workers").HasKey(row => new { row.Host, row.Family }));
        modelBuilder.Entity<OperationRow>(operation =>
        {
            operation.ToTable("operations").HasKey(row => row.Id);
            operation.Property(row => row.Sequence).ValueGeneratedNever();
            operation.HasIndex(row => row.Sequence).IsUnique();
            operation.HasIndex(row => new { row.State, row.Sequence });
            operation.HasIndex(row => new { row.PoolId, row.Sequence });
            operation.HasIndex(row => new { row.Kind, row.Sequence });
            operation.HasIndex(row => row.Deadline).HasFilter("ended_at IS NULL AND deadline IS NOT NULL");
            operation.Ignore(row => row.Ended).Ignore(row => row.Shared).Ignore(row => row.Unbegun).Ignore(row => row.HolderQueue);
        });
        modelBuilder.Entity<ClaimRow>(claim =>
        {
            claim.ToTable("claims").HasKey(row => new { row.Resource, row.Sequence });
            // With the others in it, they would have to be looked through for one of these.
            claim.HasIndex(row => new { row.Resource, row.Sequence }).HasFilter("exclusive");
            claim.HasIndex(row => row.OperationId);
        });
        modelBuilder.Entity<EventRow>(entry =>
        {
            entry.ToTable("events").HasKey(row => row.Sequence);
            entry.Property(row => row.Sequence).ValueGeneratedNever();
            entry.HasIndex(row => row.EventId).IsUnique();
            entry.HasIndex(row => new { row.Resource, row.Sequence });
        });
        modelBuilder.Entity<CursorRow>(cursor => cursor.ToTable("cursors").HasKey(row => row.Reader));
        modelBuilder.Entity<DeadLetterRow>(letter =>
        {
            letter.ToTable("dead_letters").HasKey(row => row.Id);
            letter.Property(row => row.Id).ValueGeneratedNever();
            letter.Property(row => row.Sequence).ValueGeneratedNever();
            letter.HasIndex(row => row.Sequence).IsUnique();
            letter.HasIndex(row => row.Fingerprint);
            letter.HasIndex(row => new { row.Queue, row.Reason, row.AnnouncedAt });
            letter.HasIndex(row => row.ClosedAt);
            letter.Ignore(row => row.Whole);
        });
        modelBuilder.Entity<SecretRow>(secret =>
        {
            secret.ToTable("secrets").HasKey(row => row.Uuid);
            secret.Property(row => row.Uuid).ValueGeneratedNever();
            secret.HasIndex(row => row.Usage).IsUnique();
            secret.HasIndex(row => row.KeyId);
        });
    }

    private sealed class UtcConverter() : ValueConverter<DateTimeOffset, DateTime>(
        time => time.UtcDateTime,
        time => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)));
}

public sealed class PostgresLedgerDb(DbContextOptions<PostgresLedgerDb> options) : LedgerDb(options)
{
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        // Names are ordered by their bytes, as workers list them and as SQLite does by itself.
        configurationBuilder.Properties<string>().UseCollation("C");
    }

    /// <summary>
    /// Those of the volumes of pool $1 that have one of the names $2. Said by <c>name = ANY ($2)</c>, PostgreSQL reads all volumes of the pool and
    /// compares their names, for as long as it believes that the pool has few: the plan of an earlier day is kept.
    /// </summary>
    internal const string SelectVolumesNamed =
        "SELECT found.* FROM unnest({1}::text[]) AS wanted(name) CROSS JOIN LATERAL "
        + "(SELECT * FROM volumes WHERE pool_id = {0} AND volumes.name = wanted.name COLLATE \"C\" LIMIT 1) AS found";

    public override IQueryable<VolumeRow> VolumesNamed(Guid pool, IReadOnlyCollection<string> names) =>
        Volumes.FromSqlRaw(SelectVolumesNamed, pool, names.ToArray());

    public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default) =>
        PostgresWrite.WriteAsync(this, [], cancellationToken);
}

public sealed class SqliteLedgerDb(DbContextOptions<SqliteLedgerDb> options) : LedgerDb(options)
{
    public override IQueryable<VolumeRow> VolumesNamed(Guid pool, IReadOnlyCollection<string> names) =>
        Volumes.Where(row => row.PoolId == pool && names.Contains(row.Name));
}
