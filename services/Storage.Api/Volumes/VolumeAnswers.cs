using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>Answers one volume as JSON.</summary>
internal sealed class VolumeAnswer(FoundVolume found, VolumeDocument volume) : IResult
{
    public const string ContentType = "application/json; charset=utf-8";

    /// <summary>Passes on what was made as JSON, and valid.</summary>
    public static readonly JsonWriterOptions AsItIs = new() { SkipValidation = true };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(body, AsItIs))
            VolumeJson.Write(json, found.Pool, volume.SeenAt(found.PoolObservedAt), volume.Document);
        var response = httpContext.Response;
        response.ContentType = ContentType;
        response.ContentLength = body.WrittenCount;
        await response.BodyWriter.WriteAsync(body.WrittenMemory, httpContext.RequestAborted);
    }
}

/// <summary>Answers a part of a list of volumes, as <see cref="Page{T}"/> says.</summary>
/// <param name="refreshed">When the pool was last seen.</param>
internal sealed class VolumePage(Guid pool, DateTimeOffset? refreshed, IReadOnlyList<VolumeDocument> volumes, string? next) : IResult
{
    /// <summary>Bytes that are sent while the next are written.</summary>
    private const int Part = 32 * 1024;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = VolumeAnswer.ContentType;
        await using var json = new Utf8JsonWriter(response.BodyWriter, VolumeAnswer.AsItIs);
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        var sent = 0L;
        foreach (var volume in volumes)
        {
            VolumeJson.Write(json, pool, volume.SeenAt(refreshed), volume.Document);
            if (json.BytesCommitted + json.BytesPending - sent < Part)
                continue;
            sent = await SendAsync(json, response.BodyWriter, httpContext.RequestAborted);
        }
        json.WriteEndArray();
        if (next is not null)
            json.WriteString("next"u8, next);
        json.WriteEndObject();
        await SendAsync(json, response.BodyWriter, httpContext.RequestAborted);
    }

    /// <returns>How much was sent in all.</returns>
    private static async Task<long> SendAsync(Utf8JsonWriter json, PipeWriter body, CancellationToken cancellationToken)
    {
        json.Flush();
        await body.FlushAsync(cancellationToken);
        return json.BytesCommitted;
    }
}
