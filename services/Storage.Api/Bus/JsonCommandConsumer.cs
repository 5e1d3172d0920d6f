using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>
/// One plain-JSON message: read, accepted, answered to <c>reply-to</c> where that is given, and only then acknowledged; a crash in
/// between delivers it again, which the command's id makes harmless. What is refused is answered too. Where nobody waits for the answer,
/// and where the command failed in a way that nobody foresaw, the message becomes a dead letter, so that it is neither lost nor looped; a copy with the
/// reason in its headers goes to <see cref="RejectedQueue"/>.
/// </summary>
public sealed class JsonCommandConsumer(CommandIntake intake, IBus bus, ILogger<JsonCommandConsumer> log)
{
    public const string RejectedQueue = $"{Queues.JsonCommands}.rejected";

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastDelay = TimeSpan.FromSeconds(10);

    /// <summary>The broker ends a consumer that holds a message for thirty minutes.</summary>
    private static readonly TimeSpan LongestHold = TimeSpan.FromMinutes(10);

    public async Task ConsumeAsync(IChannel channel, BasicDeliverEventArgs message, CancellationToken stoppingToken)
    {
        try
        {
            Guid? id = null;
            try
            {
                var (command, deadline) = Read(message);
                id = command.CommandId;
                var operation = await AcceptAsync(command, deadline, TraceParent(message), stoppingToken);
                await ReplyAsync(channel, message, new CommandAccepted(operation.Id, operation.State), stoppingToken);
            }
            catch (StorageException e)
            {
                Log.CommandRefused(log, id, e.Error.Code, e.Error.Message);
                var answered = await ReplyAsync(channel, message, new CommandRejected(id, e.Error), stoppingToken);
                if (!answered || e.Error.Code == ErrorCodes.Internal)
                    await BuryAsync(message, e, stoppingToken);
                if (!answered)
                    await SetAsideAsync(channel, message, e.Error, stoppingToken);
            }
            await channel.BasicAckAsync(message.DeliveryTag, multiple: false, stoppingToken);
        }
        catch (Exception e)
        {
            // Not acknowledged: the broker delivers it again when the channel has ended.
            if (!stoppingToken.IsCancellationRequested && channel.IsOpen)
            {
                Log.MessageFailed(log, e);
                await channel.AbortAsync(CancellationToken.None);
            }
        }
    }

    // Whatever a message does to its reader, it must not come back for ever.
    private (ICommand Command, DateTimeOffset? Deadline) Read(BasicDeliverEventArgs message)
    {
        try
        {
            return JsonCommand.Read(
                message.Body, message.BasicProperties.Type, message.BasicProperties.MessageId, Header(message, DeadlineHeader.Name));
        }
        catch (Exception e) when (e is not StorageException)
        {
            Log.MessageFailed(log, e);
            throw new StorageException(Failures.ErrorOf(e), e);
        }
    }

    /// <summary>Waits out a database that is away; gives up on anything else.</summary>
    private async Task<OperationRow> AcceptAsync(
        ICommand command, DateTimeOffset? deadline, string? traceParent, CancellationToken stoppingToken)
    {
        var delay = FirstDelay;
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await intake.AcceptAsync(command, traceParent, stoppingToken, deadline: deadline);
            }
            catch (Exception e) when (e is not StorageException && !stoppingToken.IsCancellationRequested)
            {
                if (!TransientFailures.Is(e))
                    throw new StorageException(Failures.ErrorOf(e), e);
                Log.DatabaseAway(log, delay, e);
                if (Stopwatch.GetElapsedTime(since) > LongestHold)
                    throw;
            }
            await Task.Delay(delay, stoppingToken);
            delay = delay * 2 < LastDelay ? delay * 2 : LastDelay;
        }
    }

    /// <returns>False where no answer is asked for.</returns>
    private static async Task<bool> ReplyAsync<T>(
        IChannel channel, BasicDeliverEventArgs message, T answer, CancellationToken cancellationToken)
    {
        if (message.BasicProperties.ReplyTo is not { Length: > 0 } queue)
            return false;
        var properties = new BasicProperties
        {
            ContentType = "application/json",
            Type = typeof(T).Name,
            CorrelationId = message.BasicProperties.CorrelationId ?? message.BasicProperties.MessageId,
        };
        // Not mandatory: whoever asked may have gone.
        await channel.BasicPublishAsync(
            "", queue, mandatory: false, properties, JsonSerializer.SerializeToUtf8Bytes(answer, StorageJson.Options), cancellationToken);
        return true;
    }

    private async Task BuryAsync(BasicDeliverEventArgs message, StorageException why, CancellationToken cancellationToken)
    {
        var (properties, cause) = (message.BasicProperties, why.InnerException ?? why);
        var dead = new DeadMessage(
            Queues.JsonCommands, message.Body.ToArray(), properties.Type, properties.MessageId, properties.ContentType,
            properties.Headers ?? new Dictionary<string, object?>());
        // An answer does not tell what was unexpected; a letter does.
        var error = why.Error.Code == ErrorCodes.Internal ? DeadMessage.ErrorOf(cause) : why.Error;
        var letter = dead.ToLetter(error, cause, DateTimeOffset.UtcNow);
        await bus.SendToAsync(Queues.DeadLetters, letter, cancellationToken);
        Log.MessageDied(log, letter.Id, letter.Error.Code, letter.Error.Message);
    }

    private static async Task SetAsideAsync(
        IChannel channel, BasicDeliverEventArgs message, StorageError error, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties(message.BasicProperties)
        {
            Persistent = true,
            Headers = new Dictionary<string, object?>(message.BasicProperties.Headers ?? new Dictionary<string, object?>())
            {
                ["storage-error-code"] = error.Code,
                ["storage-error-message"] = error.Message,
                ["storage-error-field"] = error.Field ?? "",
            },
        };
        // An expired message would leave the queue unseen; a user id must be the publisher's own.
        properties.ClearExpiration();
        properties.ClearUserId();
        await channel.BasicPublishAsync("", RejectedQueue, mandatory: true, properties, message.Body, cancellationToken);
    }

    private static string? TraceParent(BasicDeliverEventArgs message)
    {
        if (Activity.Current is { } activity)
            return activity.Id;
        return Header(message, "traceparent") is { } parent && ActivityContext.TryParse(parent, null, out _) ? parent : null;
    }

    private static string? Header(BasicDeliverEventArgs message, string name) =>
        message.BasicProperties.Headers?.TryGetValue(name, out var header) is true && header is byte[] bytes ? Encoding.UTF8.GetString(bytes) : null;
}
