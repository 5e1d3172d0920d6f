using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>
/// Secrets: made, given a value and removed, never read. They are no commands on a host: what is asked is done when it is answered, and no
/// operation and no event tells of it.
/// </summary>
public static class SecretEndpoints
{
    private const string List = "secrets";
    private const string ValueType = "application/octet-stream";
    private const string NameNote = "A secret is named by its uuid or its usage, in which a slash is written %2F.";

    public static void MapSecrets(this IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/secrets").WithTags("Secrets");
        secrets.MapGet("", ListAsync).Describes("ListSecrets", "The secrets by usage, without their values.").Answers<Page<SecretView>>();
        secrets.MapPost("", PostAsync)
            .Describes("CreateSecret",
                "Makes a secret; its value may come later. Refused where the uuid or the usage is taken (secret-exists), and where the service "
                + "has no key to encrypt it with (secrets-unavailable).")
            .Reads<NewSecret>().Produces<SecretView>(StatusCodes.Status201Created);
        secrets.MapGet("/{secret}", GetAsync).Describes("GetSecret", $"One secret, without its value. {NameNote}").Answers<SecretView>();
        secrets.MapPut("/{secret}/value", PutValueAsync)
            .Describes("SetSecretValue", $"The body is the new value: from 1 to {SecretValue.Limit} bytes, as they are. {NameNote}")
            .Accepts<byte[]>(ValueType).Answers<SecretView>();
        secrets.MapDelete("/{secret}", DeleteAsync)
            .Describes("DeleteSecret", $"Removes the secret and its value, also where pools and volumes use it: what needs it next fails (secret-not-found). {NameNote}")
            .Produces(StatusCodes.Status204NoContent);
        routes.MapGet("/secret-keys", KeysAsync).WithTags("Secrets")
            .Describes("ListSecretKeys", "The keys that encrypt secrets: those that are set, and those that secrets need.").Answers<IReadOnlyList<SecretKeyView>>();
    }

    private static async Task<IResult> ListAsync(
        IDbContextFactory<LedgerDb> ledger, string? keyId, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var query = db.Secrets.AsNoTracking();
        if (keyId is not null)
            query = query.Where(secret => secret.KeyId == keyId);
        if (Cursor.Read(cursor, List, 1) is [var last])
            query = query.Where(secret => string.Compare(secret.Usage, last) > 0);
        var count = PageLimit.Check(limit);
        var rows = await query.OrderBy(secret => secret.Usage).Take(count + 1).ToListAsync(cancellationToken);
        var page = rows.Take(count).ToList();
        return TypedResults.Ok(new Page<SecretView>(
            page.Select(SecretView.Of).ToList(), rows.Count > count ? Cursor.Write(List, page[^1].Usage) : null));
    }

    private static async Task<IResult> GetAsync(SecretStore store, string secret, CancellationToken cancellationToken) =>
        TypedResults.Ok(SecretView.Of(await store.FindAsync(Name(secret), cancellationToken)));

    private static async Task<IResult> PostAsync(HttpContext http, SecretStore store, CancellationToken cancellationToken)
    {
        var asked = (await RequestBody.ReadAsync(http.Request, cancellationToken: cancellationToken)).Json<NewSecret>();
        using var value = asked.Value is { } bytes ? SecretValue.Of(bytes) : null;
        CryptographicOperations.ZeroMemory(asked.Value);
        var made = SecretView.Of(await store.CreateAsync(asked.Uuid, asked.Usage, asked.Description, value, cancellationToken));
        return TypedResults.Created($"/v1/secrets/{made.Uuid}", made);
    }

    private static async Task<IResult> PutValueAsync(HttpContext http, SecretStore store, string secret, CancellationToken cancellationToken)
    {
        using var value = await ReadValueAsync(http.Request, cancellationToken);
        return TypedResults.Ok(SecretView.Of(await store.SetValueAsync(Name(secret), value, cancellationToken)));
    }

    private static async Task<IResult> DeleteAsync(SecretStore store, string secret, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(Name(secret), cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> KeysAsync(IDbContextFactory<LedgerDb> ledger, SecretRing ring, CancellationToken cancellationToken)
    {
        await using var db = await ledger.CreateDbContextAsync(cancellationToken);
        var used = await db.Secrets.Where(secret => secret.KeyId != null).GroupBy(secret => secret.KeyId!)
            .Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
        IReadOnlyList<SecretKeyView> keys =
        [
            .. ring.Ids.Concat(used.Keys.Except(ring.Ids).Order(StringComparer.Ordinal))
                .Select(id => new SecretKeyView(id, id == ring.CurrentId, ring.Ids.Contains(id), used.GetValueOrDefault(id))),
        ];
        return TypedResults.Ok(keys);
    }

    /// <summary>The server leaves an encoded slash as it is, so that it is no separator.</summary>
    private static string Name(string secret) => secret.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static async Task<SecretValue> ReadValueAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(ValueType, StringComparison.OrdinalIgnoreCase))
            throw new StorageException(Failures.ErrorOfStatus(StatusCodes.Status415UnsupportedMediaType, request)!);
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = SecretValue.Limit + 1;
        using var buffer = new SecretValue(SecretValue.Limit + 1);
        var length = await request.Body.ReadAtLeastAsync(buffer.Bytes, buffer.Bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= SecretValue.Limit
            ? SecretValue.Of(buffer.Bytes.Span[..length])
            : throw new StorageException(ErrorCodes.TooLarge, $"A value has at most {SecretValue.Limit >> 10} KiB.");
    }
}
