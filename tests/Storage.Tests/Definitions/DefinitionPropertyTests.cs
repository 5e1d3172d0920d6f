using System.Text.Json;
using CsCheck;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>What holds for every valid definition.</summary>
public sealed class DefinitionPropertyTests
{
    private const int Cases = 2000;

    [Fact]
    public void A_completed_pool_survives_XML() => DefinitionGen.Pool.Select(PoolRules.Complete).Sample(
        pool => Json(PoolRules.Complete(PoolXml.Read(PoolXml.Write(pool, 3, 2, 1)))) == Json(pool), iter: Cases, print: Json);

    [Fact]
    public void A_completed_pool_survives_JSON() => DefinitionGen.Pool.Select(PoolRules.Complete).Sample(
        pool => Json(JsonSerializer.Deserialize<PoolDefinition>(Json(pool), StorageJson.Strict)!) == Json(pool), iter: Cases, print: Json);

    [Fact]
    public void Completing_a_completed_pool_changes_nothing() => DefinitionGen.Pool.Select(PoolRules.Complete).Sample(
        pool => Json(PoolRules.Complete(pool)) == Json(pool), iter: Cases, print: Json);

    public static TheoryData<PoolType> Types => [.. Enum.GetValues<PoolType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_completed_volume_survives_XML_and_JSON(PoolType pool)
    {
        var type = PoolTypes.Of(pool);
        DefinitionGen.Volume(type).Select(volume => volume with { Capacity = volume.Capacity ?? 1 })
            .Select(volume => VolumeRules.Complete(type, volume, VolumePurpose.Describe)).Sample(
            volume =>
            {
                var xml = VolumeXml.Read(VolumeXml.Write(volume, type), type);
                var json = JsonSerializer.Deserialize<VolumeDefinition>(Json(volume), StorageJson.Strict)!;
                return Json(json) == Json(volume)
                    && Json(xml) == Json(volume)
                    && Json(VolumeRules.Complete(type, volume, VolumePurpose.Describe)) == Json(volume);
            },
            iter: Cases / 10, print: Json);
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, StorageJson.Strict);
}
