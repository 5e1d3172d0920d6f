using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>
/// The messages that could not be handled. What is decided about them is no command on a host: it is done when it is answered, and
/// doing it again is no other thing, so it takes no idempotency key.
/// </summary>
public static class DeadLetterEndpoints
{
    private const string List = "dead-letters";

    public static void MapDeadLetters(this IEndpointRouteBuilder routes)
    {
        var letters = routes.MapGroup("/dead-letters").WithTags("Dead letters");
        letters.MapGet("", ListAsync)
            .Describes("ListDeadLetters", "The messages that could not be handled, the newest first.").Answers<Page<DeadLetterView>>();
        letters.MapGet("/{id:guid}", GetAsync)
            .Describes("GetDeadLetter", "One such message, with its body and headers. Secrets are removed.").Answers<DeadLetterView>();
        letters.MapPost("/{id:guid}/replay", ReplayAsync)
            .Describes("ReplayDeadLetter",
                "Sends the message to its queue again, as it came. One that cannot be handled again is a new dead letter, which names this "
                + "one. Refused where it was discarded, or is not kept as it came (replayable). Doing it twice is doing it once.")
            .Answers<DeadLetterView>();
        letters.MapPost("/{id:guid}/discard", DiscardAsync)
            .Describes("DiscardDeadLetter",
                "Says that the message is not wanted. Refused where it was replayed. Doing it twice is doing it once. Messages that were "
                + "replayed or discarded are removed after 30 days.")
            .Answers<DeadLetterView>();
    }

    private static async Task<IResult> ListAsync(
        IDbContextFactory<LedgerDb> ledger,
        WireName<DeadLetterState>? state,
        string? queue,
        int? limit,
        string? cursor,
        CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.DeadLetters.AsNoTracking();
        if (state is { Value: var wanted })
            query = query.Where(letter => letter.State == wanted);
        if (queue is not null)
            query = query.Where(letter => letter.Queue == queue);
        if (Cursor.Read(cursor, List, 1) is [var key])
        {
            if (!long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
                throw new StorageException(ErrorCodes.InvalidArgument, "This is not a cursor of this list.", "cursor");
            query = query.Where(letter => letter.Sequence < last);
        }
        var count = PageLimit.Check(limit);
        var rows = await query.OrderByDescending(letter => letter.Sequence).Take(count + 1).ToListAsync(cancellationToken);
        var page = rows.Take(count).ToList();
        return TypedResults.Ok(new Page<DeadLetterView>(
            page.Select(DeadLetterView.Of).ToList(),
            rows.Count > count ? Cursor.Write(List, page[^1].Sequence.ToString(CultureInfo.InvariantCulture)) : null));
    }

    private static async Task<IResult> GetAsync(IDbContextFactory<LedgerDb> ledger, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var row = await db.DeadLetters.AsNoTracking().FirstOrDefaultAsync(letter => letter.Id == id, cancellationToken)
            ?? throw DeadLetterDecisions.NotFound(id);
        return TypedResults.Ok(DeadLetterView.WithContent(row));
    }

    private static async Task<IResult> ReplayAsync(DeadLetterDecisions decisions, Guid id, CancellationToken cancellationToken) =>
        TypedResults.Ok(DeadLetterView.Of(await decisions.ReplayAsync(id, cancellationToken)));

    private static async Task<IResult> DiscardAsync(DeadLetterDecisions decisions, Guid id, CancellationToken cancellationToken) =>
        TypedResults.Ok(DeadLetterView.Of(await decisions.DiscardAsync(id, cancellationToken)));
}
