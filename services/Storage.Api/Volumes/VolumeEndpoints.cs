using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

public static class VolumeEndpoints
{
    public static void MapVolumes(this IEndpointRouteBuilder routes)
    {
        var volumes = routes.MapGroup("/pools/{pool}/volumes").WithTags("Volumes");
        volumes.MapGet("", ListAsync)
            .Describes("ListVolumes", "The volumes of a pool, by name.").Answers<Page<VolumeView>>().AnswersFresh();
        volumes.MapPost("", PostAsync)
            .Describes("CreateVolume", "Creates a volume; from a JSON array up to 1000 of them, all or none (the command CreateVolumes).")
            .Reads<VolumeDefinition>(xml: true, arrays: true).TakesCommand();
        volumes.MapPost("/delete", DeleteManyAsync)
            .Describes("DeleteVolumes",
                "Removes up to 1000 volumes and their data. All are looked at first: where one is not there, or is in use (as by DeleteVolume) by anything "
                + "but the others, none is removed. What was removed when it fails or is cancelled stays so, and is told by its events.")
            .Reads<DeleteVolumesRequest>().TakesCommand();

        var volume = volumes.MapGroup("/{volume}");
        volume.MapGet("", GetAsync)
            .Describes("GetVolume", "One volume, as JSON or as libvirt's XML.").Answers<VolumeView>(Offers.Definition).AnswersFresh();
        volume.MapDelete("", DeleteAsync)
            .Describes("DeleteVolume",
                "Removes a volume and its data. One that is in use (backing store of another volume, open in a process of the host, behind a loop "
                + "device) is refused, naming by whom, unless force is said.")
            .TakesCommand();
        volume.MapPost("/clone", CloneAsync)
            .Describes("CloneVolume",
                "Creates the volume of the body as a copy of this one, in this pool or in targetPool on the same host. Without a format it has "
                + "this one's; its capacity is at least this one's; without an allocation it is fully allocated. A copy has no backing store. "
                + "With reflink it shares blocks, or is refused where the file system cannot.")
            .Reads<VolumeDefinition>(xml: true).TakesCommand();
        volume.MapPost("/resize", ResizeAsync)
            .Describes("ResizeVolume",
                "Changes a volume's capacity: raw, qcow2, and qed to a larger one. A smaller one must be said to shrink; what lies behind it "
                + "is lost, and it is refused while the volume is in use as by DeleteVolume.")
            .Reads<ResizeRequest>().TakesCommand();
        volume.MapPost("/wipe", WipeAsync)
            .Describes("WipeVolume",
                "Overwrites every byte of a volume; an image is raw afterwards. zero of a file with holes, and trim, give the blocks back instead. "
                + "Copies that share blocks, snapshots and copy-on-write file systems keep the old data. One in use is refused as by DeleteVolume.")
            .TakesCommand();
        volume.MapPost("/merge", MergeAsync)
            .Describes("MergeVolume",
                "Gives the volume back the content that it had when its snapshot was made; the snapshot is gone afterwards. Refused while one of the "
                + "two is in use. A merge that has begun is not cancelled: it ends.")
            .TakesCommand();
        volume.MapPost("/refresh", RefreshAsync)
            .Describes("RefreshVolume", "Looks at one volume again.").TakesCommand();
    }

    private static async Task<IResult> ListAsync(
        HttpContext http,
        IDbContextFactory<LedgerDb> ledger,
        VolumeReads volumes,
        FreshReads fresh,
        string pool,
        string? host,
        string? format,
        string? prefix,
        int? limit,
        string? cursor,
        CancellationToken cancellationToken)
    {
        var address = new VolumeAddress(pool, host, Name: "");
        var owner = await volumes.FindAsync(address);
        if (await fresh.VolumeAsync(http, owner))
            owner = await volumes.FindAsync(address);
        fresh.TellAge(http, owner.PoolObservedAt);
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.Volumes.AsNoTracking().Where(volume => volume.PoolId == owner.Pool && !volume.Removed);
        if (format is not null)
            query = query.Where(volume => volume.Format == format);
        if (prefix is { Length: > 0 })
        {
            var end = PrefixRange.End(prefix);
            query = query.Where(volume => string.Compare(volume.Name, prefix) >= 0 && string.Compare(volume.Name, end) < 0);
        }
        if (Cursor.Read(cursor, "volumes", 1) is [var last])
            query = query.Where(volume => string.Compare(volume.Name, last) > 0);
        var count = PageLimit.Check(limit);
        var rows = await query.OrderBy(volume => volume.Name).Take(count + 1)
            .Select(volume => new VolumeDocument(volume.Name, volume.ObservedAt, volume.Document)).ToListAsync(cancellationToken);
        if (rows.Count <= count)
            return new VolumePage(owner.Pool, owner.PoolObservedAt, rows, next: null);
        rows.RemoveAt(count);
        return new VolumePage(owner.Pool, owner.PoolObservedAt, rows, Cursor.Write("volumes", rows[^1].Name));
    }

    private static async Task<IResult> GetAsync(
        HttpContext http, VolumeReads volumes, FreshReads fresh, string pool, string volume, string? host)
    {
        var address = new VolumeAddress(pool, host, volume);
        var found = await volumes.FindAsync(address);
        if (await fresh.VolumeAsync(http, found))
            found = await volumes.FindAsync(address);
        if (found.Volume is not { } seen)
            throw new StorageException(new StorageError(
                ErrorCodes.VolumeNotFound, $"There is no volume '{volume}' in pool '{found.PoolName}'.",
                Resource: Resources.Volume(found.Pool, volume)));
        fresh.TellAge(http, found.SeenAt);
        return Definitions.Result(http.Request, found, seen);
    }

    private static async Task<IResult> PostAsync(
        HttpContext http, CommandSubmission commands, IDbContextFactory<LedgerDb> ledger,
        string pool, string? host, WireName<Preallocation>? preallocation, bool? validate, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(http.Request, xml: true, arrays: true, cancellationToken);
        if (body.IsArray)
        {
            IReadOnlyList<VolumeDefinition> volumes = [.. body.Json<IReadOnlyList<VolumeDefinition>>().Select(each => With(each, preallocation))];
            return await commands.SubmitAsync(http, id => new CreateVolumes(id, pool, volumes, host));
        }
        var volume = await ReadAsync(body, VolumePurpose.Create, ledger, pool, host, validate, cancellationToken);
        return await commands.SubmitAsync(http, id => new CreateVolume(id, pool, With(volume, preallocation), host));
    }

    /// <summary>What the query says is for the document, which has no place for it as XML.</summary>
    private static VolumeDefinition With(VolumeDefinition volume, WireName<Preallocation>? preallocation) =>
        volume is null || preallocation is null ? volume! : volume with { Preallocation = preallocation.Value.Value };

    private static Task<IResult> DeleteAsync(
        HttpContext http, CommandSubmission commands, string pool, string volume, string? host, bool? force) =>
        commands.SubmitAsync(http, id => new DeleteVolume(id, pool, volume, host, force is true));

    private static async Task<IResult> DeleteManyAsync(
        HttpContext http, CommandSubmission commands, string pool, string? host, CancellationToken cancellationToken)
    {
        var request = (await RequestBody.ReadAsync(http.Request, cancellationToken: cancellationToken)).Json<DeleteVolumesRequest>();
        return await commands.SubmitAsync(http, id => new DeleteVolumes(id, pool, request.Volumes, host, request.Force));
    }

    private static async Task<IResult> CloneAsync(
        HttpContext http, CommandSubmission commands, IDbContextFactory<LedgerDb> ledger,
        string pool, string volume, string? host, string? targetPool, bool? reflink, string? sourceSecret,
        WireName<Preallocation>? preallocation, bool? validate, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(http.Request, xml: true, cancellationToken: cancellationToken);
        var target = targetPool ?? pool;
        var definition = await ReadAsync(body, VolumePurpose.Clone, ledger, target, host, validate, cancellationToken);
        return await commands.SubmitAsync(http, id => new CloneVolume(
            id, target, With(definition, preallocation), volume, targetPool is null ? null : pool, reflink is true, host, SecretOf(sourceSecret)));
    }

    private static async Task<IResult> ResizeAsync(
        HttpContext http, CommandSubmission commands, string pool, string volume, string? host, CancellationToken cancellationToken)
    {
        var request = (await RequestBody.ReadAsync(http.Request, cancellationToken: cancellationToken)).Json<ResizeRequest>();
        return await commands.SubmitAsync(http, id => new ResizeVolume(
            id, pool, volume, request.Capacity, request.Delta, request.Shrink, request.Allocate, host, request.Secret, request.Force));
    }

    private static SecretReference? SecretOf(string? name) =>
        name is null ? null : Guid.TryParse(name, out var uuid) ? new SecretReference(uuid) : new SecretReference(Usage: name);

    private static Task<IResult> WipeAsync(
        HttpContext http, CommandSubmission commands, string pool, string volume, string? host, WireName<WipeAlgorithm>? algorithm, bool? force) =>
        commands.SubmitAsync(http, id => new WipeVolume(id, pool, volume, algorithm?.Value ?? WipeAlgorithm.Zero, host, force is true));

    private static Task<IResult> MergeAsync(
        HttpContext http, CommandSubmission commands, string pool, string volume, string? host, string snapshot) =>
        commands.SubmitAsync(http, id => new MergeVolume(id, pool, volume, snapshot, host));

    private static Task<IResult> RefreshAsync(HttpContext http, CommandSubmission commands, string pool, string volume, string? host) =>
        commands.SubmitAsync(http, id => new RefreshVolume(id, pool, volume, host));

    // What XML means depends on the pool's type; JSON does not.
    private static async Task<VolumeDefinition> ReadAsync(
        RequestBody body, VolumePurpose purpose, IDbContextFactory<LedgerDb> ledger,
        string pool, string? host, bool? validate, CancellationToken cancellationToken)
    {
        if (!body.IsXml)
            return body.Json<VolumeDefinition>();
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var type = (await db.FindPoolAsync(pool, host, cancellationToken)).Type;
        return Definitions.ReadVolume(body, PoolTypes.Of(type), validate is true, purpose);
    }
}

/// <param name="Capacity">The new capacity in bytes or with a unit, or the difference where <paramref name="Delta"/>.</param>
/// <param name="Delta">The capacity is a difference.</param>
/// <param name="Shrink">Must be said for a smaller capacity.</param>
/// <param name="Allocate">Allocate the grown part.</param>
/// <param name="Secret">The passphrase of an encrypted volume, and of every encrypted image behind it; absent is the secret whose usage is its path, where it is encrypted itself. LUKS 2 needs none.</param>
/// <param name="Force">Make it smaller also while it is in use, and a device also where it holds what nobody can tell the length of.</param>
public sealed record ResizeRequest(
    [property: JsonConverter(typeof(ByteSizeJsonConverter))] long? Capacity,
    bool Delta = false,
    bool Shrink = false,
    bool Allocate = false,
    SecretReference? Secret = null,
    bool Force = false);

/// <param name="Volumes">Their names, each once, in any order: a volume goes after those of them that are made of it.</param>
/// <param name="Force">Also those that are in use.</param>
public sealed record DeleteVolumesRequest(IReadOnlyList<string> Volumes, bool Force = false);
