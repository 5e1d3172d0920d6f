using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A service that gets no messages any more does not stay so.</summary>
public sealed class BusWatchTests(TestBackends backends)
{
    private const int TryAgain = 75;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_without_its_consumer_ends_to_be_started_again_and_then_works()
    {
        await using var fleet = await Fleet.StartAsync(backends, Watched);
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);

        // A queue that is not as the service makes it: it cannot consume from this one.
        await channel.QueueDeleteAsync(Queues.Inventory, cancellationToken: Cancellation);
        await channel.QueueDeclareAsync(Queues.Inventory, durable: false, exclusive: false, autoDelete: false, cancellationToken: Cancellation);

        Assert.Equal(TryAgain, await fleet.Inventory.EndedAsync());
        await channel.QueueDeleteAsync(Queues.Inventory, cancellationToken: Cancellation);
        await fleet.Inventory.StartAsync();
        await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("after");
    }

    private static FleetLayout Watched => new()
    {
        Environment = new Dictionary<string, string> { ["Bus__WatchInterval"] = "00:00:00.5", ["Bus__DeafAfter"] = "00:00:03" },
    };
}
