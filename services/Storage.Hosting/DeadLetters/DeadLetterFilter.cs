using System.Runtime.ExceptionServices;
using System.Text.Json;
using MassTransit;
using MassTransit.Middleware;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Hosting;

/// <summary>
/// What becomes of a message that could not be handled, or that nobody on its queue takes: it goes to <see cref="Queues.DeadLetters"/>,
/// and is acknowledged when the broker has it there. One that failed by something that passes goes back to its queue.
/// </summary>
internal sealed partial class DeadLetterFilter(string queue, ILogger logger) : IFilter<ExceptionReceiveContext>, IFilter<ReceiveContext>
{
    /// <summary>MassTransit's own: the queue with the suffix <c>_error</c>.</summary>
    private static readonly IFilter<ExceptionReceiveContext> LastResort = new ErrorTransportFilter();

    private static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public void Probe(ProbeContext context) => context.CreateFilterScope("deadLetter");

    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        var exception = context.Exception;
        if (TransientFailures.Is(exception))
        {
            GoesBack(logger, queue, exception);
            ExceptionDispatchInfo.Throw(exception);
        }
        // A letter that cannot be stored must not become a letter about itself.
        if (queue == Queues.DeadLetters && !DeadMessage.IsUnreadable(exception))
        {
            await LastResort.Send(context, next);
            return;
        }
        await SendAsync(context, DeadMessage.ErrorOf(exception), exception);
        // Else it would count as a message that nobody takes. MassTransit's own filter also publishes a fault that nobody reads, without
        // a limit of time: while the broker is away that keeps the queue from coming back.
        if (!context.IsFaulted)
            await context.NotifyFaulted(exception);
    }

    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        var message = MessageOf(context);
        await SendAsync(context, new StorageError(ErrorCodes.Unsupported, $"The queue takes no message of type '{message.MessageType}'."), null);
        await next.Send(context);
    }

    private async Task SendAsync(ReceiveContext context, StorageError error, Exception? exception)
    {
        var letter = MessageOf(context).ToLetter(error, exception, DateTimeOffset.UtcNow);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
            limit.CancelAfter(SendLimit);
            await context.SendEndpointProvider.SendToAsync(Queues.DeadLetters, letter, limit.Token);
        }
        catch (Exception e)
        {
            // The message goes back to its queue and comes again at once.
            NotSent(logger, queue, e);
            await Task.Delay(Pause, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        Died(logger, queue, letter.Id, letter.Error.Code, letter.Error.Message, exception);
    }

    private DeadMessage MessageOf(ReceiveContext context)
    {
        var amqp = context.TryGetPayload<RabbitMqBasicConsumeContext>(out var rabbit) ? rabbit.Properties : null;
        var body = context.Body.GetBytes();
        var (type, id) = Envelope(body);
        return new DeadMessage(
            queue, body, type ?? amqp?.Type, amqp?.MessageId ?? id ?? context.GetMessageId()?.ToString(),
            amqp is null ? context.ContentType?.ToString() : amqp.ContentType,
            amqp?.Headers ?? context.TransportHeaders.GetAll().Select(header => KeyValuePair.Create(header.Key, (object?)header.Value)));
    }

    private static (string? Type, string? Id) Envelope(byte[] body)
    {
        try
        {
            using var envelope = JsonDocument.Parse(body);
            var root = envelope.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return (null, null);
            return (
                root.TryGetProperty("messageType", out var types) && types.ValueKind == JsonValueKind.Array
                    ? types.EnumerateArray().Where(type => type.ValueKind == JsonValueKind.String).Select(type => type.GetString()).FirstOrDefault()
                    : null,
                root.TryGetProperty("messageId", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, null);
        }
    }

    [LoggerMessage(2020, LogLevel.Warning, "A message of {Queue} became dead letter {Letter}: {Code} {Detail}")]
    private static partial void Died(ILogger logger, string queue, Guid letter, string code, string detail, Exception? exception);

    [LoggerMessage(2021, LogLevel.Warning, "A message of {Queue} waits for what is away, and goes back to its queue.")]
    private static partial void GoesBack(ILogger logger, string queue, Exception exception);

    [LoggerMessage(2022, LogLevel.Error, "A dead letter of {Queue} could not be sent; its message goes back to the queue.")]
    private static partial void NotSent(ILogger logger, string queue, Exception exception);
}
