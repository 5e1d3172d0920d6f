using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Storage.Ledger;

/// <summary>Begins a transaction with everything that it wants in one round trip. What the statements see is what was committed when the first of them has its lock.</summary>
internal sealed class PostgresOpening(LedgerDb db, NpgsqlBatchCommand locked)
{
    private const string Ends =
        "SELECT coalesce((SELECT max(sequence) FROM operations), 0), coalesce((SELECT max(sequence) FROM events), 0), "
        + "coalesce((SELECT sequence FROM cursors WHERE reader = $1), 0), EXISTS (SELECT FROM operations WHERE state = $2)";

    /// <summary>Of each line one row is looked for. Asked by EXISTS, all claims there are may be read first, to look the lines up among them.</summary>
    private const string Lines =
        "SELECT line, (SELECT true FROM claims WHERE resource = line LIMIT 1) IS NOT NULL, "
        + "(SELECT true FROM claims WHERE resource = line AND exclusive LIMIT 1) IS NOT NULL FROM unnest($1::text[]) AS line";

    private static readonly string VolumesNamed =
        string.Format(CultureInfo.InvariantCulture, $"({PostgresLedgerDb.SelectVolumesNamed}) AS volumes", "$1", "$2");

    private readonly List<(NpgsqlBatchCommand Command, Action<NpgsqlDataReader> Take)> questions = [];
    private readonly HashSet<Guid> pools = [];
    private readonly Opening opening = new();

    public async Task<Opening> ReadAsync(Wanted wanted, CancellationToken cancellationToken)
    {
        Ask(locked, _ => { });
        Ask(Command(Ends, [LedgerDialect.Workers, nameof(Contracts.OperationState.Queued)]), TakeEnds);
        AskFor(wanted);
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        foreach (var (command, _) in questions)
            batch.BatchCommands.Add(command);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        foreach (var (_, take) in questions)
        {
            while (await reader.ReadAsync(cancellationToken))
                take(reader);
            await reader.NextResultAsync(cancellationToken);
        }
        return opening;
    }

    private void AskFor(Wanted wanted)
    {
        if (wanted.Operations.Count > 0)
            AskRows<OperationRow>("operations WHERE id = ANY ($1)", row => opening.Operations[row.Id] = row, [wanted.Operations.ToArray()]);
        if (wanted.Events.Count > 0)
            Ask(Command("SELECT event_id FROM events WHERE event_id = ANY ($1)", [wanted.Events.ToArray()]), row => opening.LoggedEvents.Add(row.GetGuid(0)));
        if (wanted.Pools.Count > 0)
            AskPools("WHERE id = ANY ($1)", _ => { }, [wanted.Pools.ToArray()]);
        foreach (var (host, name) in wanted.PoolNames)
        {
            var found = new List<Guid>();
            opening.PoolNames[(host, name)] = found;
            if (host is null)
                AskPools("WHERE name = $1 ORDER BY host LIMIT 2", found.Add, [name]);
            else
                AskPools("WHERE name = $1 AND host = $2", found.Add, [name, host]);
        }
        foreach (var (pool, names) in wanted.Volumes)
            AskRows<VolumeRow>(VolumesNamed, opening.Volumes.Add, [pool, names.ToArray()]);
        if (wanted.AnyBacked)
            Ask(Command("SELECT EXISTS (SELECT FROM volumes WHERE backing_path > '' AND NOT removed)", []), row => opening.AnyBacked = row.GetBoolean(0));
        if (wanted.Lines.Count > 0)
            Ask(Command(Lines, [wanted.Lines.ToArray()]), row => opening.Lines[row.GetString(0)] = (row.GetBoolean(1), row.GetBoolean(2)));
    }

    private void TakeEnds(NpgsqlDataReader row)
    {
        (opening.LastOperation, opening.LastEvent) = (row.GetInt64(0), row.GetInt64(1));
        (opening.WorkersVersion, opening.AnyQueued) = (row.GetInt64(2), row.GetBoolean(3));
    }

    private void AskPools(string where, Action<Guid> found, object[] values)
    {
        var table = PostgresTable.Of<PoolRow>(db);
        Ask(Command($"SELECT {table.ColumnList} FROM {table.Name} {where}", values), reader =>
        {
            var pool = (PoolRow)table.Read(reader);
            found(pool.Id);
            if (!pools.Add(pool.Id))
                return;
            db.Attach(pool);
            opening.Pools.Add(pool);
        });
    }

    private void AskRows<T>(string from, Action<T> take, object[] values)
        where T : class
    {
        var table = PostgresTable.Of<T>(db);
        Ask(Command($"SELECT {table.ColumnList} FROM {from}", values), reader =>
        {
            var row = (T)table.Read(reader);
            db.Attach(row);
            take(row);
        });
    }

    private void Ask(NpgsqlBatchCommand command, Action<NpgsqlDataReader> take) => questions.Add((command, take));

    private static NpgsqlBatchCommand Command(string text, object[] values)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
