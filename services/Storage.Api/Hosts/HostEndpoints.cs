using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

public static class HostEndpoints
{
    public static void MapHosts(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/hosts", ListAsync).WithTags("Hosts")
            .Describes("ListHosts", "The hosts with their workers, and what each can do.").Answers<Page<HostView>>();
    }

    public static void MapPoolTypes(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/pool-types", ListTypesAsync).WithTags("Hosts")
            .Describes("ListPoolTypes", "The pool types: what they need and can do, and on which hosts.").Answers<Page<PoolTypeView>>();
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

    private static async Task<IResult> ListTypesAsync(IDbContextFactory<LedgerDb> ledger, string? host, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.Workers.AsNoTracking();
        if (host is not null)
            query = query.Where(worker => worker.Host == host);
        var workers = await query.OrderBy(worker => worker.Host).ToListAsync(cancellationToken);
        if (host is not null && workers.Count == 0)
            throw new StorageException(ErrorCodes.UnknownHost, $"There is no host '{host}'.", "host");
        var support = workers.Select(WorkerView.Of)
            .SelectMany(worker => worker.PoolTypes, (worker, type) => (type.Type, HostSupport.Of(worker, type)))
            .ToLookup(entry => entry.Item1, entry => entry.Item2);
        return TypedResults.Ok(new Page<PoolTypeView>(PoolTypes.All.Select(type => PoolTypeView.Of(type, support[type.Type])).ToList()));
    }
}
