using System.Text.Json;
using Microsoft.Data.Sqlite;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// The journal's SQLite file: one connection, one thread at a time, everything inside the transaction of <see cref="RunJournal"/>.
/// </summary>
internal sealed class JournalFile : IDisposable
{
    private const int SchemaVersion = 3;

    private const string Schema = """
        CREATE TABLE runs(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            operation_id TEXT NOT NULL UNIQUE,
            run TEXT NOT NULL,
            state TEXT NOT NULL,
            reported INTEGER NOT NULL DEFAULT 0,
            outcome TEXT,
            accepted_at INTEGER NOT NULL,
            begun_at INTEGER,
            ended_at INTEGER,
            plan TEXT);
        CREATE INDEX runs_unended ON runs(id) WHERE state <> 'ended';
        CREATE INDEX runs_unreported ON runs(id) WHERE state = 'ended' AND reported = 0;
        CREATE TABLE cancels(operation_id TEXT PRIMARY KEY, requested_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE revision(highest INTEGER NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0);
        INSERT INTO revision(highest) VALUES (0);
        PRAGMA user_version = 3;
        """;

    /// <summary>From each version to the next.</summary>
    private static readonly string[] Upgrades =
    [
        "ALTER TABLE runs ADD COLUMN plan TEXT; PRAGMA user_version = 2;",
        "ALTER TABLE revision ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0; PRAGMA user_version = 3;",
    ];

    private readonly SqliteConnection connection;
    private readonly Dictionary<string, SqliteCommand> statements = [];
    private readonly TimeProvider time;

    public JournalFile(string path, bool powerLossSafe, TimeProvider time)
    {
        this.time = time;
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            Execute("PRAGMA journal_mode = WAL");
            Execute($"PRAGMA synchronous = {(powerLossSafe ? "FULL" : "NORMAL")}");
            var version = Scalar("PRAGMA user_version");
            if (version == 0)
                InTransaction(() => Execute(Schema));
            else if (version is > 0 and < SchemaVersion)
                InTransaction(() => Array.ForEach(Upgrades[(int)(version - 1)..], upgrade => Execute(upgrade)));
            else if (version != SchemaVersion)
                throw new InvalidOperationException($"The journal {path} has version {version}; this worker reads version {SchemaVersion}.");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public long Entries => Scalar("SELECT count(*) FROM runs");

    public long Unreported => Scalar("SELECT count(*) FROM runs WHERE state = 'ended' AND reported = 0");

    public long LastEntry => Scalar("SELECT coalesce(max(id), 0) FROM runs");

    public long Revision => Scalar("SELECT highest FROM revision");

    /// <summary>Every commit waits until the disk has it.</summary>
    public bool WaitsForDisk => Scalar("PRAGMA synchronous") >= 2;

    /// <summary>What was sent with a lower revision may have been run here and been forgotten.</summary>
    public long Forgotten => Scalar("SELECT forgotten FROM revision");

    public void InTransaction(Action work)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            work();
            Execute("COMMIT");
        }
        catch
        {
            // SQLite has rolled back by itself after some errors (disk full, I/O).
            if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0)
                Execute("ROLLBACK");
            throw;
        }
    }

    public (RunStanding Standing, string? Outcome) Accept(Guid operation, string run)
    {
        if (Execute("INSERT INTO runs(operation_id, run, state, accepted_at) VALUES ($1, $2, 'accepted', $3) ON CONFLICT DO NOTHING",
                operation, run, Now) == 1)
            return (IsCancelled(operation) ? RunStanding.Cancelled : RunStanding.New, null);
        var outcome = Outcome(operation);
        return (outcome is null ? RunStanding.Live : RunStanding.Ended, outcome);
    }

    public void Begin(Guid operation, string? plan) => Execute(
        "UPDATE runs SET state = 'begun', begun_at = $2, plan = $3 WHERE operation_id = $1 AND state = 'accepted'",
        operation, Now, plan ?? (object)DBNull.Value);

    public void Checkpoint(Guid operation, string plan) =>
        Execute("UPDATE runs SET plan = $2 WHERE operation_id = $1 AND state = 'begun'", operation, plan);

    public bool End(Guid operation, string outcome)
    {
        Execute("DELETE FROM cancels WHERE operation_id = $1", operation);
        return Execute("UPDATE runs SET state = 'ended', outcome = $2, ended_at = $3 WHERE operation_id = $1 AND state <> 'ended'",
            operation, outcome, Now) == 1;
    }

    public int Forget(Guid operation)
    {
        Execute("DELETE FROM cancels WHERE operation_id = $1", operation);
        return Execute("DELETE FROM runs WHERE operation_id = $1 AND state <> 'ended'", operation);
    }

    /// <returns>1 where its outcome was not reported yet.</returns>
    public int Reopen(Guid operation)
    {
        var unreported = Read("SELECT 1 FROM runs WHERE operation_id = $1 AND state = 'ended' AND reported = 0", _ => 1, operation).Count;
        Execute("UPDATE runs SET state = 'begun', outcome = NULL, reported = 0, ended_at = NULL WHERE operation_id = $1 AND state = 'ended'", operation);
        return unreported;
    }

    /// <returns>The outcome, where the run has ended already.</returns>
    public string? Cancel(Guid operation)
    {
        var outcome = Outcome(operation);
        if (outcome is null)
            Execute("INSERT INTO cancels VALUES ($1, $2) ON CONFLICT DO NOTHING", operation, Now);
        return outcome;
    }

    public bool HasEnded(Guid operation) => Outcome(operation) is not null;

    public int MarkReported(Guid operation) =>
        Execute("UPDATE runs SET reported = 1 WHERE operation_id = $1 AND state = 'ended' AND reported = 0", operation);

    public void RecordRevision(long highest) => Execute("UPDATE revision SET highest = $1 WHERE highest < $1", highest);

    public IReadOnlyList<UnendedRun> ReadUnended() => Read(
        "SELECT operation_id, run, state, EXISTS (SELECT 1 FROM cancels c WHERE c.operation_id = r.operation_id), plan "
            + "FROM runs r WHERE state <> 'ended' ORDER BY id",
        row => new UnendedRun(row.GetGuid(0), ReadRun(row.GetString(1)), row.GetString(2) == "begun", row.GetBoolean(3))
        {
            Plan = row.IsDBNull(4) ? null : row.GetString(4),
        });

    /// <summary>The ended runs that were not reported, in the order of their entries.</summary>
    public IReadOnlyList<(long Entry, Guid OperationId, string Outcome)> ReadUnreported(long after, long through, int limit) => Read(
        "SELECT id, operation_id, outcome FROM runs WHERE state = 'ended' AND reported = 0 AND id > $1 AND id <= $2 ORDER BY id LIMIT $3",
        row => (row.GetInt64(0), row.GetGuid(1), row.GetString(2)), after, through, limit);

    /// <summary>
    /// Forgets what was reported and is old, and cancels of runs that never came. Every copy of a forgotten run was sent before now,
    /// by the ledger's clock or by this one.
    /// </summary>
    public int Prune(int keep, TimeSpan age)
    {
        var oldest = Now - (long)age.TotalMilliseconds;
        Execute("DELETE FROM cancels WHERE requested_at < $1 AND operation_id NOT IN (SELECT operation_id FROM runs WHERE state <> 'ended')", oldest);
        var pruned = Execute("DELETE FROM runs WHERE reported = 1 AND (ended_at < $1 OR id <= (SELECT max(id) FROM runs) - $2)", oldest, keep);
        if (pruned > 0)
            Execute("UPDATE revision SET forgotten = max(forgotten, highest, $1) + 1", RevisionClock.At(time.GetUtcNow()));
        return pruned;
    }

    public void Dispose()
    {
        foreach (var statement in statements.Values)
            statement.Dispose();
        connection.Dispose();
    }

    private string? Outcome(Guid operation) =>
        Read("SELECT outcome FROM runs WHERE operation_id = $1", row => row.IsDBNull(0) ? null : row.GetString(0), operation).SingleOrDefault();

    private bool IsCancelled(Guid operation) => Read("SELECT 1 FROM cancels WHERE operation_id = $1", _ => true, operation).Count > 0;

    private static OperationRun? ReadRun(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<OperationRun>(json, StorageJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private int Execute(string sql, params ReadOnlySpan<object> values) => Statement(sql, values).ExecuteNonQuery();

    private long Scalar(string sql) => (long)Statement(sql, []).ExecuteScalar()!;

    private List<T> Read<T>(string sql, Func<SqliteDataReader, T> select, params ReadOnlySpan<object> values)
    {
        using var reader = Statement(sql, values).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(select(reader));
        return rows;
    }

    /// <summary>Compiled once for each text; the parameters are $1, $2, ….</summary>
    private SqliteCommand Statement(string sql, ReadOnlySpan<object> values)
    {
        if (!statements.TryGetValue(sql, out var statement))
        {
            statement = connection.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of this class.
            statement.CommandText = sql;
#pragma warning restore CA2100
            for (var i = 1; i <= values.Length; i++)
                statement.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" });
            statements.Add(sql, statement);
        }
        for (var i = 0; i < values.Length; i++)
            statement.Parameters[i].Value = values[i];
        return statement;
    }
}
