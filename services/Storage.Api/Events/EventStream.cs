using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>
/// The event log as server-sent events. <c>id</c> is the sequence, <c>event</c> the type, <c>data</c> the event as JSON. In silence a
/// comment every <see cref="Heartbeat"/> keeps the connection alive, with the id up to which the reader need not look again.
/// </summary>
public sealed class EventStream(EventFeed feed, EventFilter filter, long after, CancellationToken stopping) : IResult
{
    public const string MediaType = "text/event-stream";

    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, stopping);
        var response = httpContext.Response;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        try
        {
            await response.WriteAsync(": events\nretry: 2000\n\n", end.Token);
            await CopyAsync(response, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The reader went away, or the service stops: the reader goes on elsewhere from the last id.
        }
    }

    private async Task CopyAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        var seen = after;
        await using var events = feed.ReadAsync(after, cancellationToken).GetAsyncEnumerator(cancellationToken);
        Task<bool>? next = null;
        try
        {
            while (true)
            {
                next ??= events.MoveNextAsync().AsTask();
                if (!next.IsCompleted)
                {
                    await response.Body.FlushAsync(cancellationToken);
                    if (!await IsDoneAsync(next, cancellationToken))
                    {
                        await response.WriteAsync($": heartbeat\nid: {seen}\n\n", cancellationToken);
                        continue;
                    }
                }
                if (!await next)
                    return;
                next = null;
                var @event = events.Current;
                seen = @event.Sequence ?? seen;
                if (filter.Matches(@event))
                {
                    var data = JsonSerializer.Serialize(@event, StorageJson.Options);
                    await response.WriteAsync($"id: {seen}\nevent: {@event.Type}\ndata: {data}\n\n", cancellationToken);
                }
            }
        }
        finally
        {
            // An enumerator must not be disposed of while it moves.
            if (next is not null)
                await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private static async Task<bool> IsDoneAsync(Task<bool> next, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(Heartbeat, cancellationToken);
            return true;
        }
        catch (TimeoutException) when (!next.IsCompleted)
        {
            return false;
        }
    }
}
