using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeDigestTests
{
    private static readonly VolumeDefinition Volume = new()
    {
        Name = "data",
        Capacity = 1 << 20,
        Format = "raw",
        Timestamps = new Timestamps(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch),
    };

    [Fact]
    public void Reading_a_volume_leaves_its_digest_as_it_is() => Assert.Equal(
        VolumeDigest.Of(Volume), VolumeDigest.Of(Volume with { Timestamps = Volume.Timestamps! with { Access = DateTimeOffset.UnixEpoch.AddDays(1) } }));

    [Fact]
    public void Any_other_change_shows_in_the_digest()
    {
        VolumeDefinition[] changed =
        [
            Volume with { Name = "data2" }, Volume with { Capacity = 2 << 20 }, Volume with { Allocation = 0 }, Volume with { Problem = "torn" },
            Volume with { Permissions = new Permissions(0) }, Volume with { Timestamps = Volume.Timestamps! with { Modified = DateTimeOffset.UnixEpoch.AddTicks(1) } },
            Volume with { BackingStore = new BackingStore("/base") },
        ];
        Assert.Equal(changed.Length + 1, changed.Append(Volume).Select(volume => Convert.ToHexString(VolumeDigest.Of(volume))).Distinct().Count());
    }

    [Fact]
    public void A_volume_that_went_over_the_wire_has_the_digest_that_it_had() =>
        Assert.Equal(VolumeDigest.Of(Volume), VolumeDigest.Of(System.Text.Json.JsonSerializer.Deserialize<VolumeDefinition>(StorageJson.ToElement(Volume), StorageJson.Options)!));
}
