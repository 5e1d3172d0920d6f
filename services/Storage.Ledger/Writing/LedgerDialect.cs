using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Storage.Ledger;

/// <summary>What PostgreSQL and SQLite do differently.</summary>
public abstract class LedgerDialect
{
    /// <summary>Makes this transaction the only writing one of its kind until it ends.</summary>
    public abstract Task LockAsync(LedgerDb db, LedgerLock kind, CancellationToken cancellationToken);

    /// <summary>
    /// Makes this transaction the only writer of operations, projections and the event log, and says how far these are. Other processes hear of its
    /// commit.
    /// </summary>
    public abstract Task<LastSequences> BeginWritingAsync(LedgerDb db, CancellationToken cancellationToken);

    /// <summary>Takes operations out of all lines that they stand in.</summary>
    /// <returns>The resources of these lines, some maybe more than once.</returns>
    public abstract Task<IReadOnlyList<string>> ReleaseClaimsAsync(LedgerDb db, IReadOnlyList<Guid> operations, CancellationToken cancellationToken);

    /// <summary>Pulses the signal whenever another process committed; returns when that is not possible or was cut off.</summary>
    public abstract Task ListenAsync(LedgerSignal signal, CancellationToken cancellationToken);

    /// <summary>Brings the schema up to date, whoever else is about to.</summary>
    public abstract Task MigrateAsync(LedgerDb db, CancellationToken cancellationToken);
}

/// <param name="Operation">That of the last operation accepted, 0 before the first.</param>
/// <param name="Event">That of the last event logged.</param>
public sealed record LastSequences(long Operation, long Event);

/// <summary>What one process at a time does.</summary>
public enum LedgerLock
{
    /// <summary>The one writer of operations, projections and the event log.</summary>
    Writer = 1,

    /// <summary>The one that passes the event log on to the bus.</summary>
    Relay = 2,

    /// <summary>The one that decides about dead letters.</summary>
    DeadLetters = 3,

    /// <summary>The one that writes secrets.</summary>
    Secrets = 4,

    /// <summary>The one that brings the schema up to date.</summary>
    Migration = 5,
}

internal sealed class PostgresDialect(string connection) : LedgerDialect
{
    /// <summary>The class of our advisory locks: "STOR".</summary>
    private const int LockClass = 0x53544F52;

    private const string Channel = "storage_events";

    public override Task LockAsync(LedgerDb db, LedgerLock kind, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({LockClass}, {(int)kind})", cancellationToken);

    /// <summary>In one round trip. What the last command sees is what was committed when it has the lock of the one before.</summary>
    public override async Task<LastSequences> BeginWritingAsync(LedgerDb db, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection())
        {
            BatchCommands =
            {
                new($"NOTIFY {Channel}"),
                new($"SELECT pg_advisory_xact_lock({LockClass}, {(int)LedgerLock.Writer})"),
                new("SELECT coalesce((SELECT max(sequence) FROM operations), 0), coalesce((SELECT max(sequence) FROM events), 0)"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new LastSequences(reader.GetInt64(0), reader.GetInt64(1));
    }

    public override async Task<IReadOnlyList<string>> ReleaseClaimsAsync(LedgerDb db, IReadOnlyList<Guid> operations, CancellationToken cancellationToken)
    {
        Guid[] gone = [.. operations];
        return await db.Database.SqlQuery<string>($"DELETE FROM claims WHERE operation_id = ANY ({gone}) RETURNING resource").ToListAsync(cancellationToken);
    }

    public override async Task ListenAsync(LedgerSignal signal, CancellationToken cancellationToken)
    {
        await using var listener = new NpgsqlConnection(connection);
        await listener.OpenAsync(cancellationToken);
        listener.Notification += (_, _) => signal.Pulse();
        await using (var command = new NpgsqlCommand($"LISTEN {Channel}", listener))
            await command.ExecuteNonQueryAsync(cancellationToken);
        while (true)
            await listener.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// EF's own lock on the table of migrations goes with the first migration's transaction: services that start together on an empty database would
    /// both apply the second. This one is the connection's, which goes back to its pool, so it is given back.
    /// </summary>
    public override async Task MigrateAsync(LedgerDb db, CancellationToken cancellationToken)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancellationToken))
            await creator.CreateAsync(cancellationToken);
        await db.Database.OpenConnectionAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({LockClass}, {(int)LedgerLock.Migration})", cancellationToken);
        try
        {
            await db.Database.MigrateAsync(cancellationToken);
        }
        finally
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({LockClass}, {(int)LedgerLock.Migration})", CancellationToken.None);
        }
    }
}

/// <summary>One process has the file to itself, and its transactions are begun as writing ones: there is nothing more to lock.</summary>
internal sealed class SqliteDialect : LedgerDialect
{
    public override Task LockAsync(LedgerDb db, LedgerLock kind, CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task<LastSequences> BeginWritingAsync(LedgerDb db, CancellationToken cancellationToken) => new(
        await db.Operations.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0,
        await db.Events.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0);

    public override async Task<IReadOnlyList<string>> ReleaseClaimsAsync(LedgerDb db, IReadOnlyList<Guid> operations, CancellationToken cancellationToken)
    {
        var claims = db.Claims.Where(claim => operations.Contains(claim.OperationId));
        var resources = await claims.Select(claim => claim.Resource).Distinct().ToListAsync(cancellationToken);
        await claims.ExecuteDeleteAsync(cancellationToken);
        return resources;
    }

    public override Task ListenAsync(LedgerSignal signal, CancellationToken cancellationToken) =>
        Task.Delay(Timeout.Infinite, cancellationToken);

    public override async Task MigrateAsync(LedgerDb db, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
        // EF's migration lock is a row that outlives a killed process and would block every start after it.
        await db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
    }
}
