using System.Reflection;
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
    public void Any_other_change_of_any_part_shows_in_the_digest()
    {
        List<VolumeDefinition> changed =
        [
            Volume, Volume with { Timestamps = null }, Volume with { Permissions = new Permissions() },
            .. Changes(Volume),
            .. Changes(new Permissions(0)).Select(permissions => Volume with { Permissions = permissions }),
            .. Changes(Volume.Timestamps!).Where(timestamps => timestamps.Access == Volume.Timestamps!.Access).Select(timestamps => Volume with { Timestamps = timestamps }),
            Volume with { Encryption = new VolumeEncryption("luks") }, Volume with { Encryption = new VolumeEncryption("luks2") },
        ];
        Assert.True(changed.Count > 25);
        Assert.Equal(changed.Count, changed.Select(volume => Convert.ToHexString(VolumeDigest.Of(volume))).Distinct().Count());
    }

    [Fact]
    public void What_one_part_loses_and_the_next_gains_shows_in_the_digest() => Assert.NotEqual(
        VolumeDigest.Of(Volume with { Key = "ab", Path = "c" }), VolumeDigest.Of(Volume with { Key = "a", Path = "bc" }));

    [Fact]
    public void A_volume_that_went_over_the_wire_has_the_digest_that_it_had() =>
        Assert.Equal(VolumeDigest.Of(Volume), VolumeDigest.Of(System.Text.Json.JsonSerializer.Deserialize<VolumeDefinition>(StorageJson.ToElement(Volume), StorageJson.Options)!));

    /// <summary>The value with each of its parts changed.</summary>
    private static IEnumerable<T> Changes<T>(T value)
        where T : class
    {
        foreach (var part in typeof(T).GetProperties().Where(part => part.CanWrite))
        {
            var copy = (T)typeof(T).GetMethod("<Clone>$")!.Invoke(value, null)!;
            part.SetValue(copy, Another(part, value));
            yield return copy;
        }
    }

    private static object Another(PropertyInfo part, object of) => (Nullable.GetUnderlyingType(part.PropertyType) ?? part.PropertyType) switch
    {
        { } type when type == typeof(string) => $"another {part.Name}",
        { } type when type == typeof(long) => 4711L,
        { } type when type == typeof(int) => 4711,
        { } type when type == typeof(bool) => !(bool)part.GetValue(of)!,
        { } type when type == typeof(DateTimeOffset) => DateTimeOffset.UnixEpoch.AddTicks(1),
        { IsEnum: true } type => Enum.GetValues(type).GetValue(1)!,
        { } type when type == typeof(IReadOnlyList<string>) => new[] { "another" },
        { } type when type == typeof(IReadOnlyList<SourceExtent>) => new[] { new SourceExtent("/dev/vdb", 1, 2) },
        { } type when type == typeof(Permissions) => new Permissions(0),
        { } type when type == typeof(Timestamps) => new Timestamps(Birth: DateTimeOffset.UnixEpoch),
        { } type when type == typeof(VolumeEncryption) => new VolumeEncryption("qcow"),
        { } type when type == typeof(BackingStore) => new BackingStore("/base"),
        { } type when type == typeof(VolumeLayout) => new VolumeLayout(),
        { } type => throw new InvalidOperationException($"A part of type {type} is new here."),
    };
}
