using Microsoft.EntityFrameworkCore;
using Storage.Ledger;

namespace Storage.Api;

public static class HostEndpoints
{
    public static void MapHosts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/hosts", ListAsync).WithTags("Hosts")
            .Describes("ListHosts", "The hosts with their workers, and what each can do.").Answers<Page<HostView>>();
    }

    private static async Task<IResult> ListAsync(
        IDbContextFactory<LedgerDb> ledger, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var names = db.Workers.Select(worker => worker.Host).Distinct();
        if (Cursor.Read(cursor, "hosts", 1) is [var last])
            names = names.Where(host => string.Compare(host, last) > 0);
        var count = PageLimit.Check(limit);
        var hosts = await names.OrderBy(host => host).Take(count + 1).ToListAsync(cancellationToken);
        var page = hosts.Take(count).ToList();
        var workers = (await db.Workers.AsNoTracking().Where(worker => page.Contains(worker.Host)).ToListAsync(cancellationToken))
            .ToLookup(worker => worker.Host);
        return TypedResults.Ok(new Page<HostView>(
            page.Select(host => HostView.Of(host, workers[host])).ToList(),
            hosts.Count > count ? Cursor.Write("hosts", page[^1]) : null));
    }
}
