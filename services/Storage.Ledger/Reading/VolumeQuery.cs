using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>A pool that is meant by an address, with the volume where it is there.</summary>
/// <param name="ByUuid">The address names it by its uuid.</param>
internal sealed record VolumeCandidate(bool ByUuid, string Host, FoundVolume Found);

/// <summary>
/// The statement that reads volumes by their addresses: on PostgreSQL one for all of them in one round trip, on SQLite, to which there is none,
/// one for each.
/// </summary>
internal static class VolumeQuery
{
    private const string Columns = "pool.by_uuid, pool.host, pool.id, pool.name, pool.type, pool.observed_at, volume.observed_at, volume.document";

    /// <summary>
    /// Arrays that the planner sees itself are planned for again each time, as few entries look cheaper than the ten that it supposes otherwise:
    /// that takes three times as long as the answer. And volumes that are joined are read with all others of their pool for as long as the planner
    /// believes that these are few.
    /// </summary>
    private static readonly string OnPostgres = $"""
        SELECT asked.place, {Columns}
        FROM unnest((SELECT $1), (SELECT $2), (SELECT $3), (SELECT $4)) WITH ORDINALITY AS asked (id, pool, host, volume, place)
        CROSS JOIN LATERAL ({Pools("asked.id", "asked.pool", "asked.host")}) AS pool
        LEFT JOIN LATERAL (
            SELECT observed_at, document FROM volumes WHERE pool_id = pool.id AND volumes.name = asked.volume COLLATE "C" AND NOT removed LIMIT 1
        ) AS volume ON true
        """;

    private static readonly string OnSqlite = $"""
        SELECT 1, {Columns}
        FROM ({Pools("@id", "@pool", "@host")}) AS pool
        LEFT JOIN volumes AS volume ON volume.pool_id = pool.id AND volume.name = @volume AND NOT volume.removed
        """;

    /// <returns>By the places of the addresses.</returns>
    public static async Task<IReadOnlyList<List<VolumeCandidate>>> ReadAsync(IDbContextFactory<LedgerDb> databases, IReadOnlyList<VolumeAddress> asked)
    {
        List<VolumeCandidate>[] found = [.. asked.Select(_ => new List<VolumeCandidate>(1))];
        await using var db = await databases.CreateDbContextAsync();
        await db.Database.OpenConnectionAsync();
        if (db.Database.GetDbConnection() is NpgsqlConnection postgres)
        {
            await using var command = Together(postgres, asked);
            await ReadAsync(command, asked, 0, found);
            return found;
        }
        // It answers on the thread that asks, which has an answer of its own to give.
        await Task.Yield();
        for (var place = 0; place < asked.Count; place++)
        {
            await using var command = One((SqliteConnection)db.Database.GetDbConnection(), asked[place]);
            await ReadAsync(command, asked, place, found);
        }
        return found;
    }

    /// <summary>Each branch has an index of its own, and the last one an end: the pools of one name are as many as hosts.</summary>
    private static string Pools(string id, string name, string host) => $"""
        SELECT true AS by_uuid, host, id, name, type, observed_at FROM pools WHERE id = {id} AND ({host} IS NULL OR host = {host})
        UNION ALL SELECT false, host, id, name, type, observed_at FROM pools WHERE host = {host} AND name = {name}
        UNION ALL SELECT * FROM (
            SELECT false, host, id, name, type, observed_at FROM pools WHERE {host} IS NULL AND name = {name} ORDER BY host LIMIT {PoolLookup.Shown}) AS several
        """;

    private static NpgsqlCommand Together(NpgsqlConnection connection, IReadOnlyList<VolumeAddress> asked) => new(OnPostgres, connection)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid?[]> { TypedValue = [.. asked.Select(address => PoolLookup.IdOf(address.Pool))] },
            new NpgsqlParameter<string[]> { TypedValue = [.. asked.Select(address => address.Pool)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. asked.Select(address => address.Host)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. asked.Select(address => address.Name)] },
        },
    };

    private static SqliteCommand One(SqliteConnection connection, VolumeAddress asked)
    {
        var command = connection.CreateCommand();
        command.CommandText = OnSqlite;
        command.Parameters.AddWithValue("@id", (object?)PoolLookup.IdOf(asked.Pool) ?? DBNull.Value);
        command.Parameters.AddWithValue("@pool", asked.Pool);
        command.Parameters.AddWithValue("@host", (object?)asked.Host ?? DBNull.Value);
        command.Parameters.AddWithValue("@volume", asked.Name);
        return command;
    }

    /// <param name="first">The place of the command's first address.</param>
    private static async Task ReadAsync(DbCommand command, IReadOnlyList<VolumeAddress> asked, int first, List<VolumeCandidate>[] found)
    {
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var place = first + (int)reader.GetInt64(0) - 1;
            var volume = TimeOf(reader, 7) is { } seen ? new VolumeDocument(asked[place].Name, seen, reader.GetString(8)) : null;
            found[place].Add(new VolumeCandidate(
                reader.GetBoolean(1), reader.GetString(2),
                new FoundVolume(reader.GetGuid(3), reader.GetString(4), Enum.Parse<PoolType>(reader.GetString(5)), TimeOf(reader, 6), volume)));
        }
    }

    private static DateTimeOffset? TimeOf(DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : new DateTimeOffset(DateTime.SpecifyKind(reader.GetDateTime(column), DateTimeKind.Utc));
}
