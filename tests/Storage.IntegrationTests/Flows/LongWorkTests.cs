using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Work that takes longer than the broker lets a consumer hold a message, and than the other services stay as they are.</summary>
public sealed class LongWorkTests : IAsyncLifetime
{
    private readonly TestBackends backends = new() { ConsumerTimeout = TimeSpan.FromSeconds(5) };
    private readonly string folder = Directory.CreateTempSubdirectory("long-work-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clone_outlasts_the_consumer_timeout_a_restart_of_the_broker_and_one_of_each_other_service()
    {
        var tool = new HeldTool(folder);
        await using var fleet = await Fleet.StartAsync(backends, new FleetLayout
        {
            Environment = new Dictionary<string, string> { ["PATH"] = $"{tool.Folder}:{Environment.GetEnvironmentVariable("PATH")}" },
        });
        var path = await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("long");
        await fleet.Client.PostAsync("/v1/pools/long/volumes", new { name = "a", capacity = 4 << 20 });
        var clone = await fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/long/volumes/a/clone", new { name = "b", format = "qcow2" });
        await tool.BegunAsync();

        await ConsumerTimeoutAsync(fleet);
        await backends.RestartBrokerAsync();
        foreach (var service in new[] { fleet.Api, fleet.Inventory })
        {
            await service.StopAsync();
            await service.StartAsync();
        }
        Assert.Equal("running", (await fleet.Client.ReadAsync($"/v1/operations/{clone}")).GetProperty("state").GetString());
        tool.Release();

        Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(clone)).GetProperty("state").GetString());
        Assert.Equal([nameof(OperationSucceeded)], await fleet.Client.EndsOfAsync(clone));
        Assert.Single(await fleet.Client.ReadEventsAsync(), entry => entry.Type == nameof(VolumeCloned));
        Assert.Single(tool.Started);
        Assert.Equal(["a", "b"], StorageUnderTest.FilesIn(path));
        Assert.Empty(await fleet.Client.ReadAllAsync("/v1/dead-letters"));
    }

    public ValueTask InitializeAsync() => backends.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        await backends.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Holds a message until the broker ends the consumer: whoever held one when this began has lost it too.</summary>
    private static async Task ConsumerTimeoutAsync(Fleet fleet)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        var ended = new TaskCompletionSource<ShutdownEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            ended.TrySetResult(reason);
            return Task.CompletedTask;
        };
        var queue = (await channel.QueueDeclareAsync(cancellationToken: Cancellation)).QueueName;
        await channel.BasicPublishAsync("", queue, ReadOnlyMemory<byte>.Empty, Cancellation);
        await channel.BasicConsumeAsync(queue, autoAck: false, new AsyncEventingBasicConsumer(channel), Cancellation);
        var reason = await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.Contains("timed out", reason.ReplyText, StringComparison.Ordinal);
    }
}
