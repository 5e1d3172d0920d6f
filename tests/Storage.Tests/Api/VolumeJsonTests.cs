using System.Text;
using System.Text.Json;
using CsCheck;
using Storage.Api;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Api;

/// <summary>What is passed on without being read is what it would be if it were read.</summary>
public sealed class VolumeJsonTests
{
    private static readonly Guid Pool = Guid.NewGuid();
    private static readonly DateTimeOffset Seen = new(2026, 11, 30, 12, 0, 0, 120, TimeSpan.Zero);

    public static TheoryData<PoolType> Types => [.. Enum.GetValues<PoolType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_volume_is_written_as_its_view_is(PoolType type) => DefinitionGen.Volume(PoolTypes.Of(type)).Select(volume => volume with
    {
        Key = "/srv/" + volume.Name,
        Path = "/srv/é/" + volume.Name,
        Type = VolumeKind.Block,
        Physical = 7,
        Timestamps = new Timestamps(Seen, Seen.AddTicks(1), null, Seen),
        Extents = [new SourceExtent("/dev/sda", 1, 2)],
        Preallocation = Preallocation.Full,
        Problem = "a \"quoted\" problem",
    }).Sample(volume => Written(JsonSerializer.Serialize(volume, StorageJson.Options)) == JsonSerializer.Serialize(ViewOf(volume), StorageJson.Options), iter: 50);

    [Fact]
    public void What_a_document_does_not_have_is_what_nobody_has_seen() =>
        Assert.Equal(JsonSerializer.Serialize(ViewOf(new VolumeDefinition { Name = "a" }), StorageJson.Options), Written("""{"name":"a"}"""));

    [Fact]
    public void What_a_view_does_not_have_is_left_out() =>
        Assert.Equal(Written("""{"name":"a","format":"raw"}"""), Written("""{"later":{"name":"b"},"name":"a","sizes":[1,{"format":"c"}],"format":"raw"}"""));

    [Fact]
    public void Members_have_the_order_of_the_view_in_whatever_order_they_are_kept() =>
        Assert.Equal(Written("""{"name":"a","capacity":1,"format":"raw"}"""), Written("""{ "format": "raw" , "capacity":1,"name":"a" }"""));

    private static string Written(string document)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            VolumeJson.Write(json, Pool, Seen, document);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static VolumeView ViewOf(VolumeDefinition volume) => new(
        volume.Name, Pool, volume.Key, volume.Path, volume.Type ?? VolumeKind.File, volume.Format, volume.Capacity ?? 0, volume.Allocation ?? 0,
        volume.Physical ?? 0, Seen, volume.Problem, volume.Permissions, volume.Timestamps, volume.Encryption, volume.Compat, volume.NoCow,
        volume.ClusterSize, volume.Features, volume.BackingStore, volume.Layout, volume.Extents);
}
