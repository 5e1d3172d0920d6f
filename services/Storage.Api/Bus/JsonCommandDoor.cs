using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Api;

/// <summary>
/// Takes the commands of <see cref="Queues.JsonCommands"/> for as long as the service runs; while the broker is away it tries again,
/// for ever. What each message becomes says <see cref="JsonCommandConsumer"/>.
/// </summary>
public sealed class JsonCommandDoor(BusOptions bus, JsonCommandConsumer consumer, ILogger<JsonCommandDoor> log) : BackgroundService
{
    private const ushort Prefetch = 64;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastDelay = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delay = FirstDelay;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TakeAsync(() => delay = FirstDelay, stoppingToken);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Log.DoorClosed(log, delay, e);
                await Task.Delay(delay, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                delay = delay * 2 < LastDelay ? delay * 2 : LastDelay;
            }
        }
    }

    /// <summary>Until the connection or the channel ends.</summary>
    private async Task TakeAsync(Action onOpen, CancellationToken stoppingToken)
    {
        var factory = new ConnectionFactory
        {
            Uri = new Uri(bus.Uri),
            ClientProvidedName = "storage-api",
            AutomaticRecoveryEnabled = false,
            ConsumerDispatchConcurrency = 16,
        };
        await using var connection = await factory.CreateConnectionAsync(stoppingToken);
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            stoppingToken);
        await channel.QueueDeclareAsync(
            Queues.JsonCommands, durable: true, exclusive: false, autoDelete: false, cancellationToken: stoppingToken);
        await channel.QueueDeclareAsync(
            JsonCommandConsumer.RejectedQueue, durable: true, exclusive: false, autoDelete: false,
            arguments: new Dictionary<string, object?> { ["x-max-length"] = 10_000 }, cancellationToken: stoppingToken);
        await channel.BasicQosAsync(0, Prefetch, global: false, stoppingToken);

        var closed = new TaskCompletionSource<ShutdownEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            closed.TrySetResult(reason);
            return Task.CompletedTask;
        };
        var receiver = new AsyncEventingBasicConsumer(channel);
        receiver.ReceivedAsync += (_, message) => consumer.ConsumeAsync(channel, message, stoppingToken);
        // The queue was deleted, or its node is going down.
        receiver.UnregisteredAsync += (_, _) =>
        {
            closed.TrySetResult(new ShutdownEventArgs(ShutdownInitiator.Peer, 0, "The consumer was cancelled."));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(Queues.JsonCommands, autoAck: false, receiver, stoppingToken);
        onOpen();
        Log.DoorOpen(log, Queues.JsonCommands);

        using var stop = stoppingToken.Register(() => closed.TrySetCanceled(stoppingToken));
        var end = await closed.Task;
        throw new InvalidOperationException($"The broker ended the channel: {end.ReplyText}");
    }
}
