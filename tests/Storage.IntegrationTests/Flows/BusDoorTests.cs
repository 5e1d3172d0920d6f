using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>The same commands by message: from MassTransit clients and as plain JSON from any AMQP client.</summary>
public sealed class BusDoorTests(FleetFixture fixture) : IClassFixture<FleetFixture>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private StorageUnderTest Storage => new(fixture.Fleet.Client, fixture.Fleet.PoolPath);

    [Fact]
    public async Task A_plain_json_client_drives_a_pool_from_define_to_undefine_and_is_answered()
    {
        var path = fixture.Fleet.PoolPath("plain");
        await using var client = await PlainClient.ConnectAsync(fixture.Fleet);
        await EndAsync(await client.CallAsync("DefinePool", new { definition = new { type = "dir", name = "plain", target = new { path } } }));
        await EndAsync(await client.CallAsync("BuildPool", new { pool = "plain" }));
        await EndAsync(await client.CallAsync("StartPool", new { pool = "plain" }));
        await EndAsync(await client.CallAsync("CreateVolume", new { pool = "plain", volume = new { name = "a", capacity = "1 MiB", allocation = 0 } }));
        Assert.Equal(["a"], StorageUnderTest.FilesIn(path));
        Assert.Equal(["a"], await Storage.VolumesAsync("plain"));
        await EndAsync(await client.CallAsync("DeleteVolume", new { pool = "plain", volume = "a" }));
        await EndAsync(await client.CallAsync("StopPool", new { pool = "plain" }));
        await EndAsync(await client.CallAsync("DeletePool", new { pool = "plain" }));
        await EndAsync(await client.CallAsync("UndefinePool", new { pool = "plain" }));
        Assert.False(Directory.Exists(path));

        async Task EndAsync(JsonElement answer)
        {
            Assert.True(answer.TryGetProperty("operationId", out var id), answer.ToString());
            var operation = await fixture.Fleet.Client.EndOfAsync(id.GetGuid());
            Assert.Equal("succeeded", operation.GetProperty("state").GetString());
        }
    }

    [Theory]
    [InlineData("CreateVolume", "{\"pool\":\"nowhere\",\"volume\":{\"name\":\"a\",\"capacity\":1}}", "pool-not-found", "pool")]
    [InlineData("CreateVolume", "{\"pool\":\"p\",\"volume\":{\"name\":\"a/b\",\"capacity\":1}}", "invalid-definition", "volume.name")]
    [InlineData("CreateVolume", "{\"pool\":\"p\",\"volume\":{\"name\":\"a\",\"capacity\":-1}}", "invalid-document", null)]
    [InlineData("CreateVolume", "{\"pool\":\"p\",\"volume\":{\"name\":\"a\",\"capacity\":1},\"colour\":1}", "unknown-field", null)]
    [InlineData("DefinePool", "{\"definition\":{\"type\":\"dir\",\"name\":\"p\",\"target\":{\"path\":\"p\"}}}", "invalid-definition", "definition.target.path")]
    [InlineData("PaintPool", "{}", null, null)]
    [InlineData("StartPool", "[]", "invalid-document", null)]
    public async Task A_bad_plain_json_command_is_answered_with_code_and_field(string command, string arguments, string? code, string? field)
    {
        await using var client = await PlainClient.ConnectAsync(fixture.Fleet);
        var answer = await client.CallAsync(command, JsonDocument.Parse(arguments).RootElement);
        var error = answer.GetProperty("error");
        if (code is not null)
            Assert.Equal(code, error.GetProperty("code").GetString());
        if (field is not null)
            Assert.Equal(field, error.GetProperty("field").GetString());
    }

    [Fact]
    public async Task A_plain_json_command_after_its_deadline_is_refused()
    {
        await using var client = await PlainClient.ConnectAsync(fixture.Fleet);
        var answer = await client.CallAsync("StartPool", new { pool = "nowhere" }, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal("expired", answer.GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_harms_nobody()
    {
        await using var client = await PlainClient.ConnectAsync(fixture.Fleet);
        await client.SendAsync("not json"u8.ToArray());
        await client.SendAsync([]);
        var answer = await client.CallAsync("StartPool", new { pool = "nowhere" });
        Assert.Equal("pool-not-found", answer.GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_masstransit_client_sends_commands_and_is_answered()
    {
        var bus = Bus.Factory.CreateUsingRabbitMq(configure =>
        {
            configure.Host(fixture.Fleet.Space.Bus);
            configure.ConfigureJsonSerializerOptions(json =>
            {
                StorageJson.Configure(json, System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip);
                return json;
            });
        });
        await bus.StartAsync(Cancellation);
        try
        {
            var address = new Uri($"queue:{Queues.Commands}");
            var define = bus.CreateRequestClient<DefinePool>(address, Limit);
            var id = Guid.NewGuid();
            var accepted = await define.GetResponse<CommandAccepted, CommandRejected>(
                new DefinePool(id, new PoolDefinition { Type = PoolType.Dir, Name = "typed", Target = new PoolTarget { Path = fixture.Fleet.PoolPath("typed") } }), Cancellation);
            Assert.Equal(id, Assert.IsType<CommandAccepted>(accepted.Message).OperationId);
            var start = bus.CreateRequestClient<StartPool>(address, Limit);
            var rejected = await start.GetResponse<CommandAccepted, CommandRejected>(new StartPool(null, "nowhere"), Cancellation);
            Assert.Equal(ErrorCodes.PoolNotFound, Assert.IsType<CommandRejected>(rejected.Message).Error.Code);
            var late = await start.GetResponse<CommandAccepted, CommandRejected>(
                new StartPool(null, "typed"), request => request.UseExecute(send => send.Headers.Set("storage-deadline", "2020-01-01T00:00:00Z")), Cancellation);
            Assert.Equal(ErrorCodes.Expired, Assert.IsType<CommandRejected>(late.Message).Error.Code);
        }
        finally
        {
            await bus.StopAsync(Cancellation);
        }
    }

    [Fact]
    public async Task Every_logged_event_is_passed_on_to_subscribers_in_order()
    {
        await using var connection = await fixture.Fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        await channel.ExchangeDeclareAsync(Queues.Events, ExchangeType.Topic, durable: true, cancellationToken: Cancellation);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: Cancellation)).QueueName;
        await channel.QueueBindAsync(queue, Queues.Events, "PoolDefined.#", cancellationToken: Cancellation);
        await channel.QueueBindAsync(queue, Queues.Events, "PoolUndefined.#", cancellationToken: Cancellation);
        var heard = Channel.CreateUnbounded<string>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) => await heard.Writer.WriteAsync(Encoding.UTF8.GetString(delivery.Body.Span));
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer, Cancellation);

        await fixture.Fleet.Client.PostAsync("/v1/pools", new { type = "dir", name = "heard", target = new { path = fixture.Fleet.PoolPath("heard") } });
        await fixture.Fleet.Client.DeleteAsync("/v1/pools/heard");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(Limit);
        var types = new List<string>();
        while (types.Count < 2)
        {
            var message = JsonDocument.Parse(await heard.Reader.ReadAsync(limit.Token)).RootElement.GetProperty("message");
            if (message.GetProperty("data").TryGetProperty("name", out var name) && name.GetString() == "heard")
                types.Add(message.GetProperty("type").GetString()!);
        }
        Assert.Equal(["PoolDefined", "PoolUndefined"], types);
    }

    /// <summary>An AMQP client that knows nothing of MassTransit.</summary>
    private sealed class PlainClient(IConnection connection, IChannel channel, string replies) : IAsyncDisposable
    {
        private readonly Channel<JsonElement> answers = Channel.CreateUnbounded<JsonElement>();

        public static async Task<PlainClient> ConnectAsync(Fleet fleet)
        {
            var connection = await fleet.ConnectAsync();
            var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
            var client = new PlainClient(connection, channel, (await channel.QueueDeclareAsync(cancellationToken: Cancellation)).QueueName);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += async (_, delivery) =>
                await client.answers.Writer.WriteAsync(JsonDocument.Parse(delivery.Body.ToArray()).RootElement);
            await channel.BasicConsumeAsync(client.Replies, autoAck: true, consumer, Cancellation);
            return client;
        }

        private string Replies => replies;

        public async Task<JsonElement> CallAsync(string command, object arguments, DateTime? deadline = null)
        {
            await SendAsync(JsonSerializer.SerializeToUtf8Bytes(new { command, arguments, deadline }), replies);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            limit.CancelAfter(Limit);
            return await answers.Reader.ReadAsync(limit.Token);
        }

        public async Task SendAsync(byte[] body, string? replyTo = null) => await channel.BasicPublishAsync(
            "", Queues.JsonCommands, mandatory: true,
            new BasicProperties { ContentType = "application/json", ReplyTo = replyTo, CorrelationId = Guid.NewGuid().ToString(), Persistent = true },
            body, Cancellation);

        public async ValueTask DisposeAsync()
        {
            await channel.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
