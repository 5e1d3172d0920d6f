using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>Pool and volume definitions as HTTP carries them: JSON, or libvirt's XML.</summary>
public static class Definitions
{
    /// <param name="strict">XML is held to libvirt's schema; JSON always is to its own.</param>
    public static async Task<PoolDefinition> ReadPoolAsync(HttpRequest request, bool strict, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, xml: true, cancellationToken: cancellationToken);
        return body.IsXml ? PoolXml.Read(body.Content, strict) : body.Json<PoolDefinition>();
    }

    /// <param name="type">The pool's type: what volume XML means depends on it.</param>
    /// <param name="strict">XML is held to libvirt's schema; JSON always is to its own.</param>
    /// <param name="purpose">How much of it must be given.</param>
    public static VolumeDefinition ReadVolume(RequestBody body, PoolTypeInfo type, bool strict, VolumePurpose purpose) =>
        body.IsXml ? VolumeXml.Read(body.Content, type, strict, purpose) : body.Json<VolumeDefinition>();

    /// <summary>A pool as the request accepts it. XML has the permissions seen, as libvirt's has.</summary>
    public static IResult Result(HttpRequest request, PoolView pool) => Result(request, pool, () => PoolXml.Write(
        pool.Permissions is null ? pool.Definition : pool.Definition with { Target = pool.Definition.Target with { Permissions = pool.Permissions } },
        pool.Capacity, pool.Allocation, pool.Available));

    /// <summary>A volume as the request accepts it.</summary>
    public static IResult Result(HttpRequest request, FoundVolume found, VolumeDocument volume) =>
        ContentNegotiation.Choose(request, Offers.Definition) is var mediaType && mediaType == Offers.Definition.MediaTypes[0]
            ? new VolumeAnswer(found, volume)
            : TypedResults.Text(VolumeXml.Write(JsonSerializer.Deserialize<VolumeDefinition>(volume.Document, StorageJson.Options)!, PoolTypes.Of(found.PoolType)), mediaType, Encoding.UTF8);

    public static IResult Result(HttpRequest request, PoolDefinition definition) =>
        Result(request, definition, () => PoolXml.Write(definition, 0, 0, 0));

    public static IResult Result(HttpRequest request, PoolTypeInfo type, VolumeDefinition definition) =>
        Result(request, definition, () => VolumeXml.Write(definition, type));

    /// <summary>What the request accepts: the value as JSON, or its document.</summary>
    public static IResult Result<T>(HttpRequest request, T value, Func<string> xml)
    {
        var mediaType = ContentNegotiation.Choose(request, Offers.Definition);
        return mediaType == Offers.Definition.MediaTypes[0]
            ? TypedResults.Json(value, StorageJson.Options)
            : TypedResults.Text(xml(), mediaType, Encoding.UTF8);
    }
}
