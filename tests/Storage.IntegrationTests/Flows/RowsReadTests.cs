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
    private const long MostRowsOfEach = 30;
    private static readonly string[] Tables = ["volumes", "operations", "events", "claims"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commands_reads_and_sweeps_read_few_rows_of_a_full_pool_also_while_the_database_believes_it_to_be_small()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        var (client, storage) = (fleet.Client, new StorageUnderTest(fleet.Client, fleet.PoolPath));
        await storage.RunningPoolAsync("full");
        await client.PostAsync("/v1/pools/full/volumes", new { name = "first", capacity = 4096, allocation = 0 });
        // From here on it believes the tables to be as small as they are now.
        foreach (var table in Tables)
            await ExecuteAsync(fleet, $"ALTER TABLE {table} SET (autovacuum_enabled = off); ANALYZE {table}");
        await Parallel.ForEachAsync(Enumerable.Range(0, Volumes / 1000), Cancellation, async (part, _) => await client.PostAsync(
            "/v1/pools/full/volumes", Enumerable.Range(0, 1000).Select(i => new { name = $"{part}-{i}", capacity = 4096, allocation = 0 })));
        await Parallel.ForEachAsync(Enumerable.Range(0, Volumes / 10), Cancellation, async (i, _) => await client.PostAsync(
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

        await RequireFewRowsAsync(fleet, "volumes", Commands, MostRows, $"{Commands} volumes");
    }

    [Fact]
    public async Task The_end_of_an_operation_reads_few_rows_of_the_line_behind_it()
    {
        await using var fleet = await Fleet.StartAsync(backends);
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
        await RequireFewRowsAsync(fleet, "operations", Line, MostRowsOfEach * Line, $"{Line} commands in one line");
    }

    private static async Task RequireFewRowsAsync(Fleet fleet, string made, int count, long most, string what)
    {
        // What the servers of connections have counted is told a moment later, and the sweep comes every two seconds.
        await Eventually.GetAsync(
            "the database to have counted the commands and a sweep",
            async _ => await RowsAsync(fleet, "n_tup_ins", made) >= count && await RowsAsync(fleet, "seq_scan + idx_scan", "workers") >= 5 ? "" : null,
            Patience);
        var rows = new List<(string Table, long Read)>();
        foreach (var table in Tables)
            rows.Add((table, await RowsAsync(fleet, "seq_tup_read + idx_tup_fetch", table)));
        Assert.True(rows.All(row => row.Read <= most), $"Rows read for {what}: {string.Join(", ", rows)}.");
    }

    private static async Task<long> RowsAsync(Fleet fleet, string count, string table)
    {
        await using var connection = await OpenAsync(fleet);
        await using var command = new NpgsqlCommand($"SELECT {count} FROM pg_stat_user_tables WHERE relname = '{table}'", connection);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
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
