using System.Net;
using System.Text.Json;
using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Whatever is delivered again has one effect.</summary>
public sealed class DuplicateTests(FleetFixture fixture) : IClassFixture<FleetFixture>
{
    private const int Times = 1000;
    private static readonly string WorkerQueue = Queues.Worker(PoolFamily.File, "host-a");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Fleet Fleet => fixture.Fleet;

    private StorageClient Client => fixture.Fleet.Client;

    private StorageUnderTest Storage => new(Client, Fleet.PoolPath);

    [Fact]
    public async Task A_command_that_is_delivered_a_thousand_times_is_one_operation_with_one_effect()
    {
        var path = await Storage.RunningPoolAsync("commands");
        var id = Guid.NewGuid();
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new { commandId = id, pool = "commands", volume = new { name = "a", capacity = 4096, allocation = 0 } });
        await PublishAsync(Queues.JsonCommands, new BasicProperties { Type = nameof(CreateVolume), ContentType = "application/json" }, body);
        await Client.EndOfAsync(id);
        // Commands are taken side by side: the last is in when the queue is empty, and its answer is this one's too.
        await EmptyAsync(Queues.JsonCommands);
        var asked = await Client.SendAsync(HttpMethod.Post, "/v1/pools/commands/volumes", new { name = "other", capacity = 1 }, key: id.ToString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, asked.Status);
        Assert.Equal("idempotency-mismatch", asked.Body.GetProperty("code").GetString());
        await RequireOneEffectAsync(id, nameof(VolumeCreated));
        Assert.Equal(["a"], StorageUnderTest.FilesIn(path));
    }

    [Fact]
    public async Task A_run_that_is_delivered_a_thousand_times_changes_the_host_once()
    {
        var path = await Storage.RunningPoolAsync("runs");
        var file = Path.Combine(path, "a");
        var (created, creation) = await CaughtAsync(HttpMethod.Post, "/v1/pools/runs/volumes", new { name = "a", capacity = 4096, allocation = 0 });
        await File.WriteAllTextAsync(file, "a guest's data", Cancellation);
        await DeliverAsync(creation);
        Assert.Equal("a guest's data", await File.ReadAllTextAsync(file, Cancellation));
        await RequireOneEffectAsync(created, nameof(VolumeCreated));

        var (deleted, deletion) = await CaughtAsync(HttpMethod.Delete, "/v1/pools/runs/volumes/a", null);
        await Client.PostAsync("/v1/pools/runs/volumes", new { name = "a", capacity = 4096, allocation = 0 });
        await DeliverAsync(deletion);
        await DeliverAsync(creation);
        Assert.Equal(["a"], StorageUnderTest.FilesIn(path));
        await RequireOneEffectAsync(deleted, nameof(VolumeDeleted));
        await RequireOneEffectAsync(created, nameof(VolumeCreated));
    }

    /// <summary>The events of the operation: accepted, what became true, its end, each once.</summary>
    private async Task RequireOneEffectAsync(Guid id, string effect)
    {
        var types = (await Client.ReadEventsAsync()).Where(entry => entry.CommandId == id && entry.Type != nameof(OperationProgressed))
            .Select(entry => entry.Type);
        Assert.Equal([nameof(OperationAccepted), effect, nameof(OperationSucceeded)], types);
    }

    /// <summary>Runs a command, and keeps the message that its worker got.</summary>
    private async Task<(Guid Operation, BasicGetResult Message)> CaughtAsync(HttpMethod method, string path, object? body)
    {
        await using var connection = await Fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        var copies = (await channel.QueueDeclareAsync(cancellationToken: Cancellation)).QueueName;
        await channel.QueueBindAsync(copies, exchange: WorkerQueue, routingKey: "", cancellationToken: Cancellation);
        var id = await Client.SubmitAsync(method, path, body);
        Assert.Equal("succeeded", (await Client.EndOfAsync(id)).GetProperty("state").GetString());
        return (id, await channel.BasicGetAsync(copies, autoAck: true, Cancellation) ?? throw new InvalidOperationException("The worker got no message."));
    }

    private async Task DeliverAsync(BasicGetResult message)
    {
        await PublishAsync(WorkerQueue, new BasicProperties(message.BasicProperties), message.Body);
        await EmptyAsync(WorkerQueue);
        // What the worker has taken before this is done before this.
        await Client.PostAsync("/v1/pools/runs/refresh");
    }

    private async Task PublishAsync(string queue, BasicProperties properties, ReadOnlyMemory<byte> body)
    {
        await using var connection = await Fleet.ConnectAsync();
        var confirmed = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
        await using var channel = await connection.CreateChannelAsync(confirmed, Cancellation);
        for (var i = 0; i < Times; i++)
            await channel.BasicPublishAsync("", queue, mandatory: true, properties, body, Cancellation);
    }

    private async Task EmptyAsync(string queue)
    {
        await using var connection = await Fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        await Eventually.HoldsAsync($"{queue} to be empty", async ct => await channel.MessageCountAsync(queue, ct) == 0);
    }
}
