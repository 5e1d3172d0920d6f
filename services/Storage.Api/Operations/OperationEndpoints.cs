using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

public static class OperationEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/operations").WithTags("Operations");
        operations.MapGet("", ListAsync)
            .Describes("ListOperations", "The operations, the newest first.").Answers<Page<OperationView>>();
        operations.MapGet("/{id:guid}", GetAsync)
            .Describes("GetOperation", "One operation; as XML the <sources> that a search found.").Answers<OperationView>(Offers.Definition);
        operations.MapPost("/{id:guid}/cancel", CancelAsync)
            .Describes("CancelOperation", "Ends an operation early: what is queued never starts, what runs is undone.").TakesCommand();
    }

    private static async Task<IResult> ListAsync(
        IDbContextFactory<LedgerDb> ledger,
        OperationViews views,
        WireName<OperationState>? state,
        string? pool,
        string? host,
        string? command,
        DateTimeOffset? acceptedAfter,
        int? limit,
        string? cursor,
        CancellationToken cancellationToken)
    {
        if (command is not null && CommandTypes.Find(command) is null)
            throw new StorageException(ErrorCodes.InvalidArgument, $"There is no command '{command}'.", "command");
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.Operations.AsNoTracking();
        if (state is { Value: var wanted })
            query = query.Where(operation => operation.State == wanted);
        if (command is not null)
            query = query.Where(operation => operation.Command == command);
        if (acceptedAfter?.ToUniversalTime() is { } after)
            query = query.Where(operation => operation.AcceptedAt > after);
        if (pool is not null)
        {
            // The operations of a pool outlive it: by its uuid they are found also afterwards.
            var poolId = Guid.TryParseExact(pool, "D", out var uuid) ? uuid : (await db.FindPoolAsync(pool, host, cancellationToken)).Id;
            query = query.Where(operation => operation.PoolId == poolId);
        }
        if (Cursor.Read(cursor, "operations", 1) is [var key])
        {
            if (!long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
                throw new StorageException(ErrorCodes.InvalidArgument, "This is not a cursor of this list.", "cursor");
            query = query.Where(operation => operation.Sequence < last);
        }
        var count = PageLimit.Check(limit);
        var rows = await query.OrderByDescending(operation => operation.Sequence).Take(count + 1).ToListAsync(cancellationToken);
        var page = rows.Take(count).ToList();
        return TypedResults.Ok(new Page<OperationView>(
            await views.ViewAsync(db, page, cancellationToken),
            rows.Count > count ? Cursor.Write("operations", page[^1].Sequence.ToString(CultureInfo.InvariantCulture)) : null));
    }

    private static async Task<IResult> GetAsync(
        HttpContext http, IDbContextFactory<LedgerDb> ledger, EventFeed feed, OperationViews views, Guid id, CancellationToken cancellationToken)
    {
        var row = await feed.FindAsync(id, cancellationToken);
        var view = row.Ended ? OperationView.Of(row) : await ViewAsync(row);
        return Definitions.Result(http.Request, view, () => FoundSources.Write(row));

        async Task<OperationView> ViewAsync(OperationRow live)
        {
            await using var db = await ledger.CreateDbContextAsync(cancellationToken);
            return await views.ViewAsync(db, live, cancellationToken);
        }
    }

    private static Task<IResult> CancelAsync(HttpContext http, CommandSubmission commands, Guid id) =>
        commands.SubmitAsync(http, key => new CancelOperation(key, id));
}
