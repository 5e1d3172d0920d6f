using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

public static class EventEndpoints
{
    private const int FewEvents = 2000;

    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/events", GetAsync).WithTags("Events")
            .Describes("ReadEvents",
                "The event log: a page from after on; or, with Accept: text/event-stream, a stream from after (or Last-Event-ID) on "
                + "that goes on with what happens, and begins at the present where neither is given.")
            .Answers<EventPage>(Offers.Events);
    }

    private static async Task<IResult> GetAsync(
        HttpContext http,
        IDbContextFactory<LedgerDb> ledger,
        EventFeed feed,
        IHostApplicationLifetime lifetime,
        long? after,
        string[]? type,
        string? resource,
        string? host,
        int? limit,
        CancellationToken cancellationToken)
    {
        if (after < 0)
            throw new StorageException(ErrorCodes.InvalidArgument, "A sequence is not negative.", "after");
        var filter = new EventFilter(type ?? [], resource, host);
        if (ContentNegotiation.Choose(http.Request, Offers.Events) == EventStream.MediaType)
        {
            // A client that connects again repeats its first address; what it has seen since then says the header.
            var start = LastEventId(http.Request) ?? after ?? await PresentAsync(ledger, cancellationToken);
            return new EventStream(feed, filter, start, lifetime.ApplicationStopping);
        }
        return TypedResults.Ok(await PageAsync(ledger, filter, after ?? 0, PageLimit.Check(limit), cancellationToken));
    }

    private static async Task<EventPage> PageAsync(
        IDbContextFactory<LedgerDb> ledger, EventFilter filter, long after, int count, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var wanted = filter.Apply(db.Events.AsNoTracking().Where(row => row.Sequence > after));
        if (filter.Resource is { Length: > 0 } && await FewAsync(wanted, cancellationToken) is { } few)
        {
            List<long> page = [.. few.Order().Take(count)];
            wanted = db.Events.AsNoTracking().Where(row => page.Contains(row.Sequence));
        }
        var rows = await wanted.OrderBy(row => row.Sequence).Take(count).ToListAsync(cancellationToken);
        return new EventPage(rows.Select(EventFeed.Read).ToList(), rows.Count > 0 ? rows[^1].Sequence : after);
    }

    /// <summary>
    /// The sequences of all events of a resource, where they are few: found by the resource. By the sequence, the whole log would be read for the few
    /// events of an operation; only of what has many, the next ones are near.
    /// </summary>
    /// <returns>Null where there are more than <see cref="FewEvents"/>.</returns>
    private static async Task<List<long>?> FewAsync(IQueryable<EventRow> events, CancellationToken cancellationToken)
    {
        var sequences = await events.OrderBy(row => row.Resource).ThenBy(row => row.Sequence).Select(row => row.Sequence).Take(FewEvents + 1)
            .ToListAsync(cancellationToken);
        return sequences.Count > FewEvents ? null : sequences;
    }

    private static async Task<long> PresentAsync(IDbContextFactory<LedgerDb> ledger, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        return await db.Events.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0;
    }

    private static long? LastEventId(HttpRequest request)
    {
        const string Header = "Last-Event-ID";
        var value = request.Headers[Header].ToString();
        if (value.Length == 0)
            return null;
        return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? sequence
            : throw new StorageException(ErrorCodes.InvalidArgument, $"'{value}' is not the id of an event.", Header);
    }
}

/// <summary>A part of the event log.</summary>
/// <param name="Items">The events, in the order of the log.</param>
/// <param name="Next">The <c>after</c> of the next part, also when that is still to come.</param>
public sealed record EventPage(IReadOnlyList<StorageEvent> Items, long Next);
