using RabbitMQ.Client;
using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>
/// Keeps a copy of everything that was sent to a worker and to the inventory, and delivers some of it again: out of order, often, and
/// long after its time.
/// </summary>
public sealed class OldMessages
{
    private const int Kept = 2000;
    private static readonly string[] Receivers = [Queues.Worker(PoolFamily.File, "host-a"), Queues.Inventory];

    private readonly Fleet fleet;
    private readonly Dictionary<string, List<BasicGetResult>> messages = Receivers.ToDictionary(queue => queue, _ => new List<BasicGetResult>());

    private OldMessages(Fleet fleet) => this.fleet = fleet;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Copies from now on.</summary>
    public static async Task<OldMessages> KeepAsync(Fleet fleet)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        foreach (var receiver in Receivers)
        {
            var limit = new Dictionary<string, object?> { ["x-max-length"] = Kept };
            await channel.QueueDeclareAsync(CopyOf(receiver), durable: true, exclusive: false, autoDelete: false, limit, cancellationToken: Cancellation);
            // Whoever sends to a queue sends to the exchange of its name.
            await channel.QueueBindAsync(CopyOf(receiver), exchange: receiver, routingKey: "", cancellationToken: Cancellation);
        }
        return new OldMessages(fleet);
    }

    /// <summary>Delivers so many of the kept ones to each receiver, some of them more than once.</summary>
    public async Task DeliverAgainAsync(int count, Random random)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        foreach (var (receiver, kept) in messages)
        {
            while (await channel.BasicGetAsync(CopyOf(receiver), autoAck: true, Cancellation) is { } message)
                kept.Add(message);
            if (kept.Count > Kept)
                kept.RemoveRange(0, kept.Count - Kept);
            for (var i = 0; i < count && kept.Count > 0; i++)
            {
                var message = kept[random.Next(kept.Count)];
                await channel.BasicPublishAsync("", receiver, false, new BasicProperties(message.BasicProperties), message.Body, Cancellation);
            }
        }
    }

    private static string CopyOf(string receiver) => $"copy-of-{receiver}";
}
