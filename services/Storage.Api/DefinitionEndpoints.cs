using Storage.Contracts;

namespace Storage.Api;

public static class DefinitionEndpoints
{
    public static void MapDefinitions(this IEndpointRouteBuilder routes)
    {
        var definitions = routes.MapGroup("/definitions").WithTags("Definitions");
        definitions.MapPost("/pool", PoolAsync)
            .Describes("CheckPoolDefinition", "Reads, checks and completes a pool's definition and gives it back, with a uuid of its own where it has none. Nothing is accepted, no host is asked.")
            .Reads<PoolDefinition>(xml: true).Answers<PoolDefinition>(Offers.Definition);
        definitions.MapPost("/volume", VolumeAsync)
            .Describes("CheckVolumeDefinition", "Reads, checks and completes a volume's definition and gives it back: as libvirt's parser judges it, or with purpose=create or clone also by what can be made. Nothing is accepted, no host is asked.")
            .Reads<VolumeDefinition>(xml: true).Answers<VolumeDefinition>(Offers.Definition);
    }

    private static async Task<IResult> PoolAsync(HttpContext http, bool? validate, CancellationToken cancellationToken)
    {
        var pool = PoolRules.Complete(await Definitions.ReadPoolAsync(http.Request, validate is true, cancellationToken));
        return Definitions.Result(http.Request, pool with { Uuid = pool.Uuid ?? Guid.NewGuid() });
    }

    private static async Task<IResult> VolumeAsync(
        HttpContext http, WireName<PoolType>? poolType, WireName<VolumePurpose>? purpose, bool? validate, CancellationToken cancellationToken)
    {
        var type = PoolTypes.Of(poolType?.Value
            ?? throw new StorageException(ErrorCodes.InvalidArgument, "Say for which type of pool.", "poolType"));
        var body = await RequestBody.ReadAsync(http.Request, xml: true, cancellationToken: cancellationToken);
        var judgedFor = purpose?.Value ?? VolumePurpose.Describe;
        var volume = Definitions.ReadVolume(body, type, validate is true, judgedFor);
        return Definitions.Result(http.Request, type, VolumeRules.Check(type, volume, judgedFor));
    }
}
