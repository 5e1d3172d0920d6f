using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

public static class PoolTypeEndpoints
{
    public static void MapPoolTypes(this IEndpointRouteBuilder routes) => routes.MapGet("/pool-types", ListAsync).WithTags("Hosts")
        .Describes("ListPoolTypes", "The pool types: what they need and can do, and on which hosts, each no with its reason; as XML libvirt's capabilities, of one host or of all together.")
        .Answers<Page<PoolTypeView>>(Offers.Definition);

    private static async Task<IResult> ListAsync(
        HttpContext http, IDbContextFactory<LedgerDb> ledger, string? host, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.Workers.AsNoTracking();
        if (host is not null)
            query = query.Where(worker => worker.Host == host);
        var workers = (await query.OrderBy(worker => worker.Host).ToListAsync(cancellationToken)).Select(WorkerView.Of).ToList();
        if (host is not null && workers.Count == 0)
            throw new StorageException(ErrorCodes.UnknownHost, $"There is no host '{host}'.", "host");
        var hosts = workers.Select(worker => worker.Host).Distinct().ToList();
        var families = workers.ToDictionary(worker => (worker.Host, worker.Family));
        var types = PoolTypes.All
            .Select(type => PoolTypeView.Of(
                type, hosts.Select(name => HostSupport.Of(name, type, families.GetValueOrDefault((name, type.Family)))).ToList()))
            .ToList();
        return Definitions.Result(
            http.Request, new Page<PoolTypeView>(types), () => PoolCapabilitiesXml.Write(type => types[(int)type].Supported));
    }
}
