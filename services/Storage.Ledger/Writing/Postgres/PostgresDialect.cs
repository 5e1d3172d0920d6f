using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Storage.Ledger;

/// <summary>A transaction is two round trips where nothing more is asked for: it begins with all that is wanted, and ends with all that has changed.</summary>
internal sealed class PostgresDialect(string connection, IDbContextFactory<LedgerDb> databases) : LedgerDialect
{
    /// <summary>The class of our advisory locks: "STOR".</summary>
    private const int LockClass = 0x53544F52;

    private const string Channel = "storage_events";

    public override Task LockAsync(LedgerDb db, LedgerLock kind, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({LockClass}, {(int)kind})", cancellationToken);

    public override Task<Opening> BeginWritingAsync(LedgerDb db, Wanted wanted, CancellationToken cancellationToken) =>
        new PostgresOpening(db, new($"SELECT pg_advisory_xact_lock({LockClass}, {(int)LedgerLock.Writer})")).ReadAsync(wanted, cancellationToken);

    public override async Task<IReadOnlyList<Guid>> ReleaseAsync(LedgerDb db, IReadOnlyList<Guid> operations, int ofEachLine, CancellationToken cancellationToken)
    {
        await PostgresWrite.WriteAsync(db, [], cancellationToken);
        Guid[] gone = [.. operations];
        // A statement does not see what it has itself deleted as gone.
        return await db.Database.SqlQuery<Guid>($"""
            WITH released AS (DELETE FROM claims WHERE operation_id = ANY ({gone}) RETURNING resource, exclusive, sequence)
            SELECT DISTINCT waiting.operation_id AS "Value"
            FROM (SELECT resource, min(sequence) FILTER (WHERE exclusive) AS sequence FROM released GROUP BY resource) AS line
            CROSS JOIN LATERAL (
                SELECT coalesce((
                    SELECT sequence FROM claims WHERE resource = line.resource AND exclusive AND operation_id <> ALL ({gone}) ORDER BY sequence LIMIT 1),
                    {long.MaxValue}) AS sequence) AS alone
            CROSS JOIN LATERAL (
                SELECT operation_id FROM claims
                WHERE resource = line.resource AND sequence >= coalesce(line.sequence, alone.sequence) AND sequence <= alone.sequence
                    AND operation_id <> ALL ({gone})
                ORDER BY sequence LIMIT {ofEachLine}) AS waiting
            """).ToListAsync(cancellationToken);
    }

    public override async Task CommitAsync(
        LedgerDb db, IDbContextTransaction transaction, IReadOnlyList<EventRow> events, IReadOnlyList<Guid> released, LogGrowth? grown,
        CancellationToken cancellationToken)
    {
        var then = new List<NpgsqlBatchCommand>();
        // Nobody reads them back in this transaction: the context need not know them.
        if (events.Count > 0)
            then.Add(PostgresTable.Of<EventRow>(db).Insert(events));
        if (released.Count > 0)
            then.Add(new("DELETE FROM claims WHERE operation_id = ANY ($1)") { Parameters = { new() { Value = released.ToArray() } } });
        if (grown is not null)
            then.Add(new("SELECT pg_notify($1, $2)") { Parameters = { new() { Value = Channel }, new() { Value = Told(grown) } } });
        then.Add(new("COMMIT"));
        await PostgresWrite.WriteAsync(db, then, cancellationToken);
    }

    public override async Task ListenAsync(LedgerSignal signal, CancellationToken cancellationToken)
    {
        // What it listens to ends with it.
        await using var listener = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connection) { Pooling = false }.ConnectionString);
        await listener.OpenAsync(cancellationToken);
        listener.Notification += (_, told) =>
        {
            if (Heard(told.Payload) is { } grown)
                signal.Pulse(grown);
        };
        await using (var command = new NpgsqlCommand($"LISTEN {Channel}", listener))
            await command.ExecuteNonQueryAsync(cancellationToken);
        while (true)
            await listener.WaitAsync(cancellationToken);
    }

    public override async Task<ILogCursor> FollowAsync(string reader, LedgerLock kind, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await PostgresLogCursor.OpenAsync(
            connection, reader, PostgresTable.Of<EventRow>(db), $"SELECT pg_advisory_lock({LockClass}, {(int)kind})", cancellationToken);
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

    /// <summary>Such as <c>17 0197b0a2… 0197b0a3…</c>, or <c>17 *</c>.</summary>
    private static string Told(LogGrowth grown) =>
        $"{grown.Event} {(grown.Ended is null ? "*" : string.Join(' ', grown.Ended.Select(id => id.ToString("N"))))}";

    /// <summary>That of another version of this program may say it otherwise: readers look from time to time anyway.</summary>
    private static LogGrowth? Heard(string payload)
    {
        var parts = payload.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0 || !long.TryParse(parts[0], out var last))
            return null;
        var ended = new List<Guid>(parts.Length - 1);
        foreach (var part in parts.AsSpan(1))
        {
            if (!Guid.TryParseExact(part, "N", out var id))
                return new LogGrowth(last, null);
            ended.Add(id);
        }
        return new LogGrowth(last, ended);
    }
}
