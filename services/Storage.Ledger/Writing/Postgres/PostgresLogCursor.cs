using Npgsql;

namespace Storage.Ledger;

/// <summary>
/// Follows the log on a connection of its own, whose lock makes it the only one: where the connection is lost, so is the lock, and the next page
/// cannot be read. How far it is, is written in the round trip of the next page and not waited for: what a crash of the database forgets comes again.
/// </summary>
internal sealed class PostgresLogCursor : ILogCursor
{
    private const string Keep = "INSERT INTO cursors (reader, sequence) VALUES ($1, $2) ON CONFLICT (reader) DO UPDATE SET sequence = excluded.sequence";

    /// <summary>
    /// The server gives the lock to the next one where this process or its machine is silent: it asks for a page every second, or has one to publish for
    /// half a minute. Servers before PostgreSQL 14 notice a machine that is gone, and not a process that stands still.
    /// </summary>
    private const string Session = """
        SET synchronous_commit = off;
        SET tcp_keepalives_idle = 10;
        SET tcp_keepalives_interval = 5;
        SET tcp_keepalives_count = 3;
        SELECT set_config(name, '60s', false) FROM pg_settings WHERE name = 'idle_session_timeout';
        """;

    private readonly NpgsqlConnection connection;
    private readonly string reader;
    private readonly string page;
    private readonly PostgresTable table;
    private long kept;
    private long done;

    private PostgresLogCursor(NpgsqlConnection connection, string reader, PostgresTable table)
    {
        (this.connection, this.reader, this.table) = (connection, reader, table);
        page = $"SELECT {table.ColumnList} FROM {table.Name} WHERE sequence > $1 ORDER BY sequence LIMIT $2";
    }

    /// <summary>Waits for its turn.</summary>
    public static async Task<PostgresLogCursor> OpenAsync(string connection, string reader, PostgresTable events, string locked, CancellationToken cancellationToken)
    {
        // Its session, and the lock with it, ends where the connection is closed.
        var own = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connection) { Pooling = false }.ConnectionString);
        try
        {
            await own.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand($"{Session}{locked}", own) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
            await using var position = new NpgsqlCommand("SELECT sequence FROM cursors WHERE reader = $1", own) { Parameters = { new() { Value = reader } } };
            var cursor = new PostgresLogCursor(own, reader, events);
            cursor.kept = cursor.done = (long?)await position.ExecuteScalarAsync(cancellationToken) ?? 0;
            return cursor;
        }
        catch
        {
            await own.DisposeAsync();
            throw;
        }
    }

    public async Task<IReadOnlyList<EventRow>> NextAsync(int limit, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new(page) { Parameters = { new() { Value = done }, new() { Value = limit } } });
        if (kept != done)
            batch.BatchCommands.Add(new(Keep) { Parameters = { new() { Value = reader }, new() { Value = done } } });
        var rows = new List<EventRow>();
        await using (var answer = await batch.ExecuteReaderAsync(cancellationToken))
        {
            while (await answer.ReadAsync(cancellationToken))
                rows.Add((EventRow)table.Read(answer));
            await answer.NextResultAsync(cancellationToken);
        }
        kept = done;
        if (rows.Count > 0)
            done = rows[^1].Sequence;
        return rows;
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
