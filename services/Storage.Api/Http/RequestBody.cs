using System.Buffers;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Storage.Contracts;

namespace Storage.Api;

/// <summary>A request's body, read whole and within bounds.</summary>
/// <param name="Content">The bytes.</param>
/// <param name="IsXml">The content type is XML, otherwise JSON.</param>
public sealed record RequestBody(ReadOnlyMemory<byte> Content, bool IsXml)
{
    public const int Limit = 1 << 20;

    /// <summary>For a JSON array of volumes.</summary>
    public const int ArrayLimit = 8 << 20;

    /// <summary>The body is a JSON array.</summary>
    public bool IsArray => !IsXml && IsArrayOf(Content.Span);

    public T Json<T>() => StrictJson.Read<T>(Content);

    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedMediaType"/>, <see cref="ErrorCodes.TooLarge"/>.
    /// </exception>
    public static async Task<RequestBody> ReadAsync(
        HttpRequest request, bool xml = false, bool arrays = false, CancellationToken cancellationToken = default)
    {
        var isXml = IsXmlType(request.ContentType) switch
        {
            true when xml => true,
            false => false,
            _ => throw new StorageException(
                Failures.ErrorOfStatus(StatusCodes.Status415UnsupportedMediaType, request)!),
        };
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = arrays && !isXml ? ArrayLimit : Limit;

        var limit = Limit;
        using var content = new MemoryStream((int)Math.Min(request.ContentLength ?? 0, Limit));
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            int count;
            while ((count = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (content.Length == 0 && arrays && !isXml && IsArrayOf(buffer.AsSpan(0, count)))
                    limit = ArrayLimit;
                if (content.Length + count > limit)
                    throw new StorageException(ErrorCodes.TooLarge, $"The body is over {limit >> 20} MiB.");
                content.Write(buffer, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return new RequestBody(content.ToArray(), isXml);
    }

    private static bool IsArrayOf(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        json = json.TrimStart(" \t\r\n"u8);
        return json.Length > 0 && json[0] == (byte)'[';
    }

    // XML says its encoding itself; JSON is UTF-8 only.
    private static bool? IsXmlType(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type))
            return null;
        return type.MediaType.Value?.ToLowerInvariant() switch
        {
            "application/xml" or "text/xml" => true,
            "application/json" when type.Charset.Value is null or "" || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) => false,
            _ => null,
        };
    }
}
