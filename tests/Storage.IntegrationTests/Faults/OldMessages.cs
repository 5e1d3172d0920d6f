using System.Text;
using System.Text.Json.Nodes;
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

    /// <summary>The bodies of those that are kept.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync()
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        await TakeAsync(channel);
        return [.. messages.Values.SelectMany(kept => kept).Select(Text)];
    }

    /// <summary>Delivers so many of the kept ones to each receiver, some of them more than once.</summary>
    public async Task DeliverAgainAsync(int count, Random random)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        await TakeAsync(channel);
        foreach (var (receiver, kept) in messages)
            for (var i = 0; i < count && kept.Count > 0; i++)
            {
                var message = kept[random.Next(kept.Count)];
                await channel.BasicPublishAsync("", receiver, false, new BasicProperties(message.BasicProperties), message.Body, Cancellation);
            }
    }

    /// <summary>
    /// Delivers the reports that speak of something once more, their events under new ids: as a worker would that has forgotten that it has
    /// said so.
    /// </summary>
    public async Task SayAgainAsync(string something)
    {
        await using var connection = await fleet.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancellation);
        await TakeAsync(channel);
        foreach (var message in messages[Queues.Inventory].Where(message => Text(message).Contains(something, StringComparison.Ordinal)))
        {
            var body = JsonNode.Parse(message.Body.Span)!;
            foreach (var entry in body["message"]!["events"]!.AsArray())
                entry!["eventId"] = Guid.CreateVersion7();
            await channel.BasicPublishAsync(
                "", Queues.Inventory, false, new BasicProperties(message.BasicProperties), Encoding.UTF8.GetBytes(body.ToJsonString()), Cancellation);
        }
    }

    private async Task TakeAsync(IChannel channel)
    {
        foreach (var (receiver, kept) in messages)
        {
            while (await channel.BasicGetAsync(CopyOf(receiver), autoAck: true, Cancellation) is { } message)
                kept.Add(message);
            if (kept.Count > Kept)
                kept.RemoveRange(0, kept.Count - Kept);
        }
    }

    private static string Text(BasicGetResult message) => Encoding.UTF8.GetString(message.Body.Span);

    private static string CopyOf(string receiver) => $"copy-of-{receiver}";
}
