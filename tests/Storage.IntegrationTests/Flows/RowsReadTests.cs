using System.Text.Json;
using Npgsql;
using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>What a command costs the database does not grow with what is there: rows are found by themselves, and not among all others.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class RowsReadTests(TestBackends backends)
{
    private const int Volumes = 2000;
    private const int Commands = 10;
    private const long MostRows = 1500;
    private const int Line = 200;
    private const long MostRowsOfEach = 60;
    private static readonly string[] Tables = ["volumes", "operations", "events", "claims"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commands_reads_and_sweeps_read_few_rows_of_a_full_pool_also_while_the_database_believes_it_to_be_small()
    {
        await using var fleet = await StartAsync();
        var (client, storage) = (fleet.Client, new StorageUnderTest(fleet.Client, fleet.PoolPath));
        await storage.RunningPoolAsync("full");
        await client.PostAsync("/v1/pools/full/volumes", new { name = "first", capacity = 4096, allocation = 0 });
        // From here on it believes the tables to be as small as they are now.
        foreach (var table in Tables)
            await ExecuteAsync(fleet, $"ALTER TABLE {table} SET (autovacuum_enabled = off); ANALYZE {table}");
        await Parallel.ForEachAsync(Enumerable.Range(0, Volumes / 1000), Cancellation, async (part, _) => await client.PostAsync(
            "/v1/pools/full/volumes", Enumerable.Range(0, 1000).Select(i => new { name = $"{part}-{i}", capacity = 4096, allocation = 0 })));
        await Parallel.ForEachAsync(Enumerable.Range(0, Volumes / 2), Cancellation, async (i, _) => await client.PostAsync(
            "/v1/pools/full/volumes", new { name = $"single-{i}", capacity = 4096, allocation = 0 }));

        await ExecuteAsync(fleet, "SELECT pg_stat_reset()");
        for (var i = 0; i < Commands; i++)
        {
            var created = await client.SubmitAsync(HttpMethod.Post, "/v1/pools/full/volumes", new { name = $"more-{i}", capacity = 4096, allocation = 0 });
            Assert.Equal("succeeded", (await client.EndOfAsync(created)).GetProperty("state").GetString());
            var events = await client.ReadAsync($"/v1/events?resource=operations/{created}");
            Assert.NotEmpty(events.GetProperty("items").EnumerateArray());
            (await client.GetAsync($"/v1/pools/full/volumes/more-{i}", ("Cache-Control", "max-age=0"))).OrThrow();
            await client.DeleteAsync($"/v1/pools/full/volumes/more-{i}");
        }

        await RequireFewRowsAsync(fleet, MostRows, $"{Commands} volumes");
    }

    [Fact]
    public async Task The_end_of_an_operation_reads_few_rows_of_the_line_behind_it()
    {
        await using var fleet = await StartAsync();
        var (client, storage) = (fleet.Client, new StorageUnderTest(fleet.Client, fleet.PoolPath));
        await storage.RunningPoolAsync("busy");
        await client.PostAsync("/v1/pools/busy/volumes", new { name = "wanted", capacity = 4096, allocation = 0 });
        await ExecuteAsync(fleet, "SELECT pg_stat_reset()");
        // As messages: an answer by HTTP says the place in the line, which takes more the longer that is.
        var waiting = Enumerable.Range(1, Line).Select(_ => Guid.NewGuid()).ToHashSet();
        await using (var connection = await fleet.ConnectAsync())
        await using (var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), Cancellation))
            foreach (var id in waiting)
                await channel.BasicPublishAsync(
                    "", Queues.JsonCommands, mandatory: true, new BasicProperties { Type = nameof(ResizeVolume), ContentType = "application/json" },
                    JsonSerializer.SerializeToUtf8Bytes(new { commandId = id, pool = "busy", volume = "wanted", capacity = 8192 }), Cancellation);
        await foreach (var entry in client.StreamEventsAsync(0, Cancellation))
            if (entry.Type == nameof(OperationSucceeded) && waiting.Remove(entry.CommandId!.Value) && waiting.Count == 0)
                break;
        await RequireFewRowsAsync(fleet, MostRowsOfEach * Line, $"{Line} commands in one line");
    }

    /// <summary>With sweeps that come many times while the test goes on.</summary>
    private Task<Fleet> StartAsync() => Fleet.StartAsync(
        backends, new FleetLayout { Environment = new Dictionary<string, string> { ["Inventory__SweepInterval"] = "00:00:00.2" } });

    private static async Task RequireFewRowsAsync(Fleet fleet, long most, string what)
    {
        // A server of a connection tells what it has counted when it likes, up to ten seconds later, but at its end for certain.
        var now = await AskAsync<DateTime>(fleet, "SELECT clock_timestamp()");
        await fleet.Space.CutLedgerAsync(Cancellation);
        await Eventually.HoldsAsync("the connections to be cut", async _ => await AskAsync<bool>(
            fleet, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_start < $1)", now));
        Assert.NotEqual(0, await AskAsync<long>(fleet, "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'dead_letters'"));
        var rows = new List<(string Table, long Read)>();
        foreach (var table in Tables)
            rows.Add((table, await AskAsync<long>(fleet, "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = $1", table)));
        Assert.True(rows.All(row => row.Read <= most), $"Rows read for {what}: {string.Join(", ", rows)}.");
    }

    private static async Task<T> AskAsync<T>(Fleet fleet, string sql, params IReadOnlyList<object> values)
    {
        await using var connection = await OpenAsync(fleet);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task ExecuteAsync(Fleet fleet, string sql)
    {
        await using var connection = await OpenAsync(fleet);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static async Task<NpgsqlConnection> OpenAsync(Fleet fleet)
    {
        var connection = new NpgsqlConnection(fleet.Space.Ledger + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        return connection;
    }
}
