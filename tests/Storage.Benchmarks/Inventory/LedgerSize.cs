using System.Diagnostics;
using Npgsql;
using Storage.TestServers;

namespace Storage.Benchmarks.Inventory;

/// <summary>What only the database itself tells.</summary>
internal sealed class LedgerSize(string connectionString)
{
    private const double MB = 1e6;

    public async Task RequireVolumesAsync(int expected)
    {
        var seen = await ReadAsync<long>("SELECT count(*) FROM volumes WHERE NOT removed");
        if (seen != expected)
            throw new InvalidOperationException($"{seen} volumes are in the inventory, not {expected}.");
    }

    /// <summary>Waits until every event has been passed on.</summary>
    /// <returns>The seconds that took.</returns>
    public async Task<double> RelayedAsync()
    {
        var began = Stopwatch.GetTimestamp();
        await Eventually.HoldsAsync(
            "all events to be passed on to the bus",
            _ => ReadAsync<bool>("SELECT coalesce((SELECT sequence FROM cursors WHERE reader = 'bus'), 0) >= (SELECT max(sequence) FROM events)"),
            TimeSpan.FromMinutes(10));
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    public async Task<IReadOnlyList<Figure>> ReadAsync(int volumes)
    {
        var all = await ReadAsync<long>("SELECT pg_database_size(current_database())");
        return
        [
            new("database", all / MB, "MB"),
            new("database, a volume", (double)all / volumes, "bytes"),
            new("table of volumes with its indexes", await ReadAsync<long>("SELECT pg_total_relation_size('volumes')") / MB, "MB"),
            new("event log with its indexes", await ReadAsync<long>("SELECT pg_total_relation_size('events')") / MB, "MB"),
        ];
    }

    private async Task<T> ReadAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
