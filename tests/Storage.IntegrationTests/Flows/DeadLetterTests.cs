using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Messages that no service can handle: each ends as one dead letter, and harms nothing else.</summary>
public sealed class DeadLetterTests(FleetFixture fixture) : IClassFixture<FleetFixture>
{
    private const string Worker = "storage.file.host-a";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private StorageClient Client => fixture.Fleet.Client;

    [Theory]
    [InlineData(Queues.Commands)]
    [InlineData(Queues.JsonCommands)]
    [InlineData(Queues.Inventory)]
    [InlineData(Worker)]
    [InlineData(Queues.DeadLetters)]
    public async Task Garbage_on_a_queue_is_a_dead_letter_with_reason_and_body_and_the_queue_goes_on(string queue)
    {
        var body = new byte[] { 0x00, 0xFF, 0x7B }.Concat(Guid.NewGuid().ToByteArray()).ToArray();
        await SendAsync(queue, body, properties => properties.ContentType = "no / type;;");
        var letter = await LetterAsync(queue, body);
        Assert.Equal("invalid-document", letter.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("open", letter.GetProperty("state").GetString());
        Assert.Equal(body.Length, letter.GetProperty("bodyLength").GetInt64());
        Assert.NotEmpty(letter.GetProperty("exceptionType").GetString()!);
        await GoesOnAsync(queue);
    }

    [Theory]
    [InlineData(Queues.Commands)]
    [InlineData(Queues.Inventory)]
    [InlineData(Worker)]
    public async Task A_message_of_a_type_that_its_queue_does_not_take_is_a_dead_letter(string queue)
    {
        var body = Envelope("PaintPool", new { colour = Guid.NewGuid() });
        await SendAsync(queue, body);
        var letter = await LetterAsync(queue, body);
        Assert.Equal("unsupported", letter.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("urn:message:Storage.Contracts:PaintPool", letter.GetProperty("messageType").GetString());
        await GoesOnAsync(queue);
    }

    public static TheoryData<string, string, object> Poison => new()
    {
        { Queues.Commands, nameof(StartPool), new { pool = "a\0b", host = "host-a" } },
        { Queues.Inventory, nameof(HostReport), new { host = "h", family = "file", instance = Guid.Empty, events = new object?[] { null } } },
        { Worker, nameof(RunOperations), new { runs = new object?[] { null } } },
    };

    [Theory]
    [MemberData(nameof(Poison))]
    public async Task A_message_whose_handling_always_fails_is_tried_a_few_times_and_then_a_dead_letter(string queue, string type, object message)
    {
        var body = Envelope(type, message);
        await SendAsync(queue, body);
        var letter = await LetterAsync(queue, body);
        Assert.Equal("internal", letter.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal($"urn:message:Storage.Contracts:{type}", letter.GetProperty("messageType").GetString());
        await GoesOnAsync(queue);
    }

    [Theory]
    [InlineData(Queues.Commands)]
    [InlineData(Queues.JsonCommands)]
    public async Task A_refused_command_that_nobody_waits_for_is_replayed_when_its_pool_is_there(string queue)
    {
        var (name, id) = ($"late-{queue}".Replace('.', '-'), Guid.NewGuid());
        var start = new { commandId = id, pool = name };
        var body = queue == Queues.Commands
            ? Envelope(nameof(StartPool), start)
            : JsonSerializer.SerializeToUtf8Bytes(new { command = nameof(StartPool), arguments = start });
        await SendAsync(queue, body);
        var letter = await LetterAsync(queue, body);
        Assert.Equal("pool-not-found", letter.GetProperty("error").GetProperty("code").GetString());

        var path = Directory.CreateDirectory(fixture.Fleet.PoolPath(name)).FullName;
        await Client.PostAsync("/v1/pools", new { type = "dir", name, target = new { path } });
        Assert.Equal("replayed", State(await DecideAsync(letter, "replay")));
        Assert.Equal("succeeded", State(await Client.EndOfAsync(id)));
        Assert.Equal("replayed", State(await DecideAsync(letter, "replay")));
        Assert.Equal("invalid-state", Code((await Client.SendAsync(HttpMethod.Post, $"/v1/dead-letters/{Id(letter)}/discard")).Body));
    }

    [Theory]
    [InlineData(Queues.Commands)]
    [InlineData(Queues.JsonCommands)]
    [InlineData(Queues.Inventory)]
    [InlineData(Worker)]
    public async Task A_replay_that_dies_again_is_a_new_letter_that_names_the_one_before(string queue)
    {
        var body = Garbage();
        await SendAsync(queue, body, properties => properties.Headers = new Dictionary<string, object?> { ["colour"] = "red" });
        var first = await LetterAsync(queue, body);
        await DecideAsync(first, "replay");
        var second = await LetterAsync(queue, body);
        Assert.Equal(Id(first), second.GetProperty("replayOf").GetString());
        Assert.Equal("red", second.GetProperty("headers").GetProperty("colour").GetString());
        Assert.Equal("discarded", State(await DecideAsync(second, "discard")));
        Assert.Equal("discarded", State(await DecideAsync(second, "discard")));
        var refused = await Client.SendAsync(HttpMethod.Post, $"/v1/dead-letters/{Id(second)}/replay");
        Assert.Equal((409, "invalid-state"), ((int)refused.Status, Code(refused.Body)));
    }

    [Theory]
    [InlineData(Queues.Commands)]
    [InlineData(Queues.JsonCommands)]
    [InlineData(Queues.Inventory)]
    [InlineData(Worker)]
    public async Task A_message_that_is_delivered_again_is_one_letter(string queue)
    {
        var (body, id) = (Garbage(), Guid.NewGuid().ToString());
        for (var i = 0; i < 3; i++)
            await SendAsync(queue, body, properties => properties.MessageId = id);
        await Eventually.HoldsAsync("three deliveries", async _ => (await LetterAsync(queue, body)).GetProperty("deliveries").GetInt32() == 3);
    }

    [Fact]
    public async Task Secrets_are_kept_nowhere_and_such_a_message_is_not_replayed()
    {
        var body = Encoding.UTF8.GetBytes($"{{\"n\":\"{Guid.NewGuid()}\",\"password\":\"geheim1\",\"to\":\"amqp://u:geheim2@h/\"");
        await SendAsync(Queues.Commands, body, properties => properties.Headers = new Dictionary<string, object?> { ["Authorization"] = "Bearer geheim3" });
        var kept = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace("geheim1", "***").Replace("geheim2", "***"));
        var letter = await LetterAsync(Queues.Commands, kept);
        Assert.DoesNotContain("geheim", letter.ToString());
        Assert.False(letter.GetProperty("replayable").GetBoolean());
        Assert.Equal("invalid-state", Code((await Client.SendAsync(HttpMethod.Post, $"/v1/dead-letters/{Id(letter)}/replay")).Body));
        Assert.All(new[] { fixture.Fleet.Api, fixture.Fleet.Inventory }, service => Assert.DoesNotContain("geheim", File.ReadAllText(service.LogFile)));
    }

    [Fact]
    public async Task Many_letters_of_one_reason_are_listed_page_by_page_counted_and_one_event()
    {
        await using var fleet = await Fleet.StartAsync(fixture.Backends);
        for (var i = 0; i < 5; i++)
            await SendAsync(Queues.Inventory, Garbage(), fleet: fleet);
        var letters = await Eventually.GetAsync("five dead letters", async _ =>
            await fleet.Client.ReadAllAsync($"/v1/dead-letters?queue={Queues.Inventory}&state=open", limit: 2) is { Count: 5 } all ? all : null);
        Assert.Equal(5, letters.Select(Id).Distinct().Count());
        Assert.Empty(await fleet.Client.ReadAllAsync("/v1/dead-letters?state=discarded"));
        var logged = Assert.Single(await fleet.Client.ReadEventsAsync(), entry => entry.Type == nameof(DeadLettered));
        Assert.Equal(Resources.DeadLetter(logged.Read<DeadLettered>().DeadLetterId), logged.Resource);
        using var http = new HttpClient { BaseAddress = fleet.Inventory.Address };
        await Eventually.HoldsAsync("the figure", async ct => (await http.GetStringAsync("/metrics", ct)).Split('\n').Any(line =>
            line.StartsWith("storage_dead_letters", StringComparison.Ordinal) && line.Contains("storage.inventory", StringComparison.Ordinal)
            && line.Contains("invalid-document", StringComparison.Ordinal) && line.Contains("} 5", StringComparison.Ordinal)));
    }

    private async Task GoesOnAsync(string queue)
    {
        // Every queue has its part in a command.
        await Client.PostAsync("/v1/pools", new { type = "dir", name = "goes-on", target = new { path = fixture.Fleet.PoolPath("goes-on") } });
        await Client.DeleteAsync("/v1/pools/goes-on");
        await Eventually.HoldsAsync($"{queue} to be empty", async _ =>
        {
            await using var connection = await fixture.Fleet.ConnectAsync();
            await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
            return (await channel.QueueDeclarePassiveAsync(queue, Cancellation)).MessageCount == 0;
        });
    }

    private static byte[] Garbage() => Encoding.UTF8.GetBytes($"not json {Guid.NewGuid()}");

    private static byte[] Envelope(string type, object message) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        messageId = Guid.NewGuid(),
        messageType = new[] { $"urn:message:Storage.Contracts:{type}" },
        message,
    });

    private async Task SendAsync(string queue, byte[] body, Action<BasicProperties>? with = null, Fleet? fleet = null)
    {
        await using var connection = await (fleet ?? fixture.Fleet).ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancellation);
        var properties = new BasicProperties { Persistent = true };
        with?.Invoke(properties);
        await channel.BasicPublishAsync("", queue, mandatory: true, properties, body, Cancellation);
    }

    /// <summary>The one open letter with this body, of whatever queue, with its content.</summary>
    private async Task<JsonElement> LetterAsync(string queue, byte[] body)
    {
        var found = await Eventually.GetAsync($"a dead letter of {queue}", async _ =>
        {
            var same = new List<JsonElement>();
            foreach (var item in await Client.ReadAllAsync("/v1/dead-letters?state=open"))
            {
                var letter = await Client.ReadAsync($"/v1/dead-letters/{Id(item)}");
                if (letter.GetProperty("body").GetBytesFromBase64().SequenceEqual(body))
                    same.Add(letter);
            }
            return same.Count > 0 ? same : null;
        });
        var one = Assert.Single(found);
        Assert.Equal(queue, one.GetProperty("queue").GetString());
        return one;
    }

    private async Task<JsonElement> DecideAsync(JsonElement letter, string decision) =>
        (await Client.SendAsync(HttpMethod.Post, $"/v1/dead-letters/{Id(letter)}/{decision}")).OrThrow().Body;

    private static string Id(JsonElement letter) => letter.GetProperty("id").GetString()!;

    private static string State(JsonElement item) => item.GetProperty("state").GetString()!;

    private static string Code(JsonElement problem) => problem.GetProperty("code").GetString()!;
}
