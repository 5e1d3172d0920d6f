using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Dead letters while the broker, the database or a service is away: none is lost, and what only waits is none.</summary>
public sealed class DeadLetterCrashTests(TestBackends backends)
{
    private const int Messages = 60;

    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(120);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("broker")]
    [InlineData("api")]
    [InlineData("inventory")]
    public async Task Every_message_is_one_letter_when_something_restarts_in_between(string what)
    {
        await using var fleet = await Fleet.StartAsync(backends);
        string[] queues = [Queues.Commands, Queues.JsonCommands, Queues.Inventory, "storage.file.host-a"];
        var sent = Enumerable.Range(0, Messages).Select(i => $"garbage {i}").ToList();
        await SendAsync(fleet, sent.Select((text, i) => (queues[i % queues.Length], text, new BasicProperties { MessageId = Guid.NewGuid().ToString() })));
        switch (what)
        {
            case "broker":
                await backends.RestartBrokerAsync();
                break;
            default:
                var service = what == "api" ? fleet.Api : fleet.Inventory;
                await service.KillAsync();
                await service.StartAsync();
                break;
        }
        var letters = await Eventually.GetAsync(
            "all dead letters",
            async _ =>
            {
                var all = await fleet.Client.ReadAllAsync("/v1/dead-letters", limit: 1000);
                return all.Count >= Messages ? all : throw new InvalidOperationException($"There are {all.Count}: "
                    + string.Join(", ", all.CountBy(letter => letter.GetProperty("queue").GetString()!)));
            },
            Settled);
        var texts = new List<string>();
        foreach (var letter in letters)
            texts.Add((await fleet.Client.ReadAsync($"/v1/dead-letters/{letter.GetProperty("id").GetString()}")).GetProperty("text").GetString()!);
        Assert.Equal(sent.Order(), texts.Order());
    }

    [Fact]
    public async Task Commands_wait_for_a_database_that_is_away_and_are_no_dead_letters()
    {
        await using var fleet = await Fleet.StartAsync(backends);
        await backends.Database.StopAsync();
        var operations = new List<Guid>();
        try
        {
            await SendAsync(fleet, Enumerable.Range(0, 10).Select(i =>
            {
                var id = Guid.NewGuid();
                operations.Add(id);
                object command = new { commandId = id, definition = new { type = "dir", name = $"p{i}", target = new { path = fleet.PoolPath($"p{i}") } }, host = "host-a" };
                return i % 2 == 0
                    ? (Queues.JsonCommands, JsonSerializer.Serialize(command), new BasicProperties { Type = nameof(DefinePool) })
                    : (Queues.Commands,
                        JsonSerializer.Serialize(new { messageType = new[] { "urn:message:Storage.Contracts:DefinePool" }, message = command }),
                        new BasicProperties());
            }));
            // Each more often than what is unexpected is tried.
            await Eventually.HoldsAsync("many attempts", async ct =>
                (await File.ReadAllTextAsync(fleet.Api.LogFile, ct)).Split("[4002]").Length > 10 * 7);
        }
        finally
        {
            await backends.Database.StartAsync(Cancellation);
        }
        foreach (var operation in operations)
            Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(operation)).GetProperty("state").GetString());
        await SendAsync(fleet, [(Queues.Inventory, "the last", new BasicProperties())]);
        var letters = await Eventually.GetAsync("the last dead letter", async _ =>
            await fleet.Client.ReadAllAsync("/v1/dead-letters") is { Count: > 0 } all ? all : null);
        Assert.Equal(Queues.Inventory, Assert.Single(letters).GetProperty("queue").GetString());
    }

    private static async Task SendAsync(Fleet fleet, IEnumerable<(string Queue, string Text, BasicProperties Properties)> messages)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancellation);
        foreach (var (queue, text, properties) in messages)
        {
            properties.Persistent = true;
            await channel.BasicPublishAsync("", queue, mandatory: true, properties, Encoding.UTF8.GetBytes(text), Cancellation);
        }
    }
}
