using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

public static class PoolEndpoints
{
    public static void MapPools(this IEndpointRouteBuilder routes)
    {
        var pools = routes.MapGroup("/pools").WithTags("Pools");
        pools.MapGet("", ListAsync)
            .Describes("ListPools", "The pools, by name.").Answers<Page<PoolView>>();
        pools.MapPost("", PostAsync)
            .Describes("DefinePool", "Keeps a pool's definition; with transient=true also starts it, and forgets it when it stops.")
            .Reads<PoolDefinition>(xml: true).TakesCommand();

        var pool = pools.MapGroup("/{pool}");
        pool.MapGet("", GetAsync)
            .Describes("GetPool", "One pool, as JSON or as libvirt's XML.").Answers<PoolView>(Offers.Definition, entityTag: true).AnswersFresh();
        pool.MapPut("", PutAsync)
            .Describes("RedefinePool", "Defines the pool of this uuid or name, under the conditions of If-Match or If-None-Match.")
            .Reads<PoolDefinition>(xml: true).TakesCommand(conditional: true);
        pool.MapDelete("", UndefineAsync)
            .Describes("UndefinePool", "Forgets an inactive pool. Its data stays.").TakesCommand();
        pool.MapPost("/build", BuildAsync)
            .Describes("BuildPool", "Makes the storage of an inactive pool; over existing data only with overwrite=true.").TakesCommand();
        pool.MapPost("/start", StartAsync)
            .Describes("StartPool", "Makes a pool usable and lists it.").TakesCommand();
        pool.MapPost("/stop", StopAsync)
            .Describes("StopPool", "Ends the use of a pool. Its data stays.").TakesCommand();
        pool.MapPost("/refresh", RefreshAsync)
            .Describes("RefreshPool", "Looks at an active pool and its volumes again.").TakesCommand();
        pool.MapPost("/delete", DeleteAsync)
            .Describes("DeletePool", "Removes the storage of an inactive pool; refused while it holds data.").TakesCommand();
        pool.MapPut("/autostart", AutostartAsync)
            .Describes("SetPoolAutostart", "Whether the pool is started whenever its worker comes up.")
            .Reads<AutostartRequest>().TakesCommand();

        routes.MapPost("/pool-sources", FindSourcesAsync).WithTags("Pools")
            .Describes("FindPoolSources", "Looks for storage that a pool of a type could use; the operation's result has it. As XML the body is libvirt's <source>, or empty, and the type stands in the address.")
            .Reads<PoolSourcesRequest>(xml: true).TakesCommand();
    }

    private static async Task<IResult> ListAsync(
        IDbContextFactory<LedgerDb> ledger,
        string? host,
        WireName<PoolType>? type,
        WireName<PoolState>? state,
        string? name,
        bool? autostart,
        int? limit,
        string? cursor,
        CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.Pools.AsNoTracking();
        if (host is not null)
            query = query.Where(pool => pool.Host == host);
        if (type is { Value: var wantedType })
            query = query.Where(pool => pool.Type == wantedType);
        if (state is { Value: var wantedState })
            query = query.Where(pool => pool.State == wantedState);
        if (name is not null)
            query = query.Where(pool => pool.Name == name);
        if (autostart is { } starts)
            query = query.Where(pool => pool.Autostart == starts);
        if (Cursor.Read(cursor, "pools", 2) is [var lastName, var lastHost])
        {
            query = query.Where(pool => string.Compare(pool.Name, lastName) > 0
                || pool.Name == lastName && string.Compare(pool.Host, lastHost) > 0);
        }
        var count = PageLimit.Check(limit);
        var rows = await query.OrderBy(pool => pool.Name).ThenBy(pool => pool.Host).Take(count + 1).ToListAsync(cancellationToken);
        var page = rows.Take(count).ToList();
        return TypedResults.Ok(new Page<PoolView>(
            page.Select(PoolView.Of).ToList(),
            rows.Count > count ? Cursor.Write("pools", page[^1].Name, page[^1].Host) : null));
    }

    private static async Task<IResult> GetAsync(
        HttpContext http, IDbContextFactory<LedgerDb> ledger, FreshReads fresh, string pool, string? host, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var row = await db.FindPoolAsync(pool, host, cancellationToken);
        if (await fresh.PoolAsync(http, row))
            row = await db.FindPoolAsync(pool, host, cancellationToken);
        fresh.TellAge(http, row.ObservedAt);
        http.Response.Headers.ETag = VersionTag.Of(row.Version);
        return Definitions.Result(http.Request, PoolView.Of(row));
    }

    private static async Task<IResult> PostAsync(
        HttpContext http, CommandSubmission commands, string? host, bool? transient, bool? validate, CancellationToken cancellationToken)
    {
        var definition = await Definitions.ReadPoolAsync(http.Request, validate is true, cancellationToken);
        return await commands.SubmitAsync(http, id => new DefinePool(id, definition, host, transient is true));
    }

    private static async Task<IResult> PutAsync(
        HttpContext http, CommandSubmission commands, IDbContextFactory<LedgerDb> ledger,
        string pool, string? host, bool? transient, bool? validate, CancellationToken cancellationToken)
    {
        var version = await VersionTag.ExpectedAsync(http.Request.Headers, async () =>
        {
            await using var db = await ledger.CreateDbContextAsync(cancellationToken);
            return (await db.TryFindPoolAsync(pool, host, cancellationToken))?.Version;
        });
        var definition = Identify(await Definitions.ReadPoolAsync(http.Request, validate is true, cancellationToken), pool);
        return await commands.SubmitAsync(http, id => new DefinePool(id, definition, host, transient is true, version));
    }

    // What the address says must be what the document says, where that says anything.
    private static PoolDefinition Identify(PoolDefinition definition, string pool)
    {
        if (Guid.TryParseExact(pool, "D", out var uuid))
        {
            return definition.Uuid is null || definition.Uuid == uuid
                ? definition with { Uuid = uuid }
                : throw new StorageException(ErrorCodes.InvalidArgument, $"The definition is of pool {definition.Uuid}, not of {pool}.", "uuid");
        }
        return definition.Name is null || definition.Name == pool
            ? definition with { Name = pool }
            : throw new StorageException(ErrorCodes.InvalidArgument, $"The definition is of pool '{definition.Name}', not of '{pool}'.", "name");
    }

    private static Task<IResult> UndefineAsync(HttpContext http, CommandSubmission commands, string pool, string? host) =>
        commands.SubmitAsync(http, id => new UndefinePool(id, pool, host));

    private static Task<IResult> BuildAsync(HttpContext http, CommandSubmission commands, string pool, string? host, bool? overwrite) =>
        commands.SubmitAsync(http, id => new BuildPool(id, pool, host, overwrite is true));

    private static Task<IResult> StartAsync(HttpContext http, CommandSubmission commands, string pool, string? host) =>
        commands.SubmitAsync(http, id => new StartPool(id, pool, host));

    private static Task<IResult> StopAsync(HttpContext http, CommandSubmission commands, string pool, string? host) =>
        commands.SubmitAsync(http, id => new StopPool(id, pool, host));

    private static Task<IResult> RefreshAsync(HttpContext http, CommandSubmission commands, string pool, string? host) =>
        commands.SubmitAsync(http, id => new RefreshPool(id, pool, host));

    private static Task<IResult> DeleteAsync(HttpContext http, CommandSubmission commands, string pool, string? host) =>
        commands.SubmitAsync(http, id => new DeletePool(id, pool, host));

    private static async Task<IResult> AutostartAsync(
        HttpContext http, CommandSubmission commands, string pool, string? host, CancellationToken cancellationToken)
    {
        var request = (await RequestBody.ReadAsync(http.Request, cancellationToken: cancellationToken)).Json<AutostartRequest>();
        return await commands.SubmitAsync(http, id => new SetPoolAutostart(id, pool, request.Autostart, host));
    }

    private static async Task<IResult> FindSourcesAsync(
        HttpContext http, CommandSubmission commands, string? host, WireName<PoolType>? type, bool? validate, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(http.Request, xml: true, cancellationToken: cancellationToken);
        var request = body.IsXml ? FromXml(body, type, validate is true) : body.Json<PoolSourcesRequest>();
        return await commands.SubmitAsync(http, id => new FindPoolSources(id, request.Type, host, request.Source));
    }

    private static PoolSourcesRequest FromXml(RequestBody body, WireName<PoolType>? type, bool strict)
    {
        var wanted = type?.Value ?? throw new StorageException(ErrorCodes.InvalidArgument, "Say for which type of pool.", "type");
        return new PoolSourcesRequest(wanted, body.Content.IsEmpty ? null : PoolSourceXml.Read(body.Content, PoolTypes.Of(wanted), strict));
    }
}

/// <param name="Autostart">Start it whenever its worker comes up.</param>
public sealed record AutostartRequest(bool Autostart);

/// <param name="Type">The type to find storage for.</param>
/// <param name="Source">Where to look, for the types that need it (a server's name).</param>
public sealed record PoolSourcesRequest(PoolType Type, PoolSource? Source = null);
