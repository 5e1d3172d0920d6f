using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>
/// How a volume lies on the devices of its volume group (logical pools; libvirt has none of it, and so it is no part of the XML).
/// Asked for at creation, observed afterwards.
/// </summary>
/// <param name="Kind">What it is; absent at creation is what the rest says: thin where less is allocated than the capacity, a snapshot where there is a backing store, else linear.</param>
/// <param name="Stripes">Devices that the content is spread over (striped, raid0, raid4, raid5, raid6, raid10; without those for parity). Absent is 2.</param>
/// <param name="StripeSize">Bytes on one device before the next; a power of two of at least 4096. Absent is what lvcreate takes.</param>
/// <param name="Mirrors">Copies beside the first (mirror, raid1, raid10). Absent is 1.</param>
/// <param name="ThinPool">The thin pool that a thin volume takes its blocks from. Absent at creation is the only one of the group.</param>
/// <param name="DataPercent">How full it is: a thin pool; a snapshot's own store; what of a thin volume has blocks. Observed.</param>
/// <param name="MetadataPercent">How full the metadata of a thin pool is. Observed.</param>
public sealed record VolumeLayout(
    LayoutKind? Kind = null,
    int? Stripes = null,
    [property: JsonConverter(typeof(ByteSizeJsonConverter))] long? StripeSize = null,
    int? Mirrors = null,
    string? ThinPool = null,
    double? DataPercent = null,
    double? MetadataPercent = null);

/// <summary>As lvcreate(8) names them.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LayoutKind>))]
public enum LayoutKind
{
    [JsonStringEnumMemberName("linear")] Linear,
    [JsonStringEnumMemberName("striped")] Striped,
    [JsonStringEnumMemberName("mirror")] Mirror,
    [JsonStringEnumMemberName("raid0")] Raid0,
    [JsonStringEnumMemberName("raid1")] Raid1,
    [JsonStringEnumMemberName("raid4")] Raid4,
    [JsonStringEnumMemberName("raid5")] Raid5,
    [JsonStringEnumMemberName("raid6")] Raid6,
    [JsonStringEnumMemberName("raid10")] Raid10,

    /// <summary>Takes its blocks from a thin pool as it is written to.</summary>
    [JsonStringEnumMemberName("thin")] Thin,

    /// <summary>What thin volumes take their blocks from. It has no content of its own and no path.</summary>
    [JsonStringEnumMemberName("thin-pool")] ThinPool,

    /// <summary>Has the content that its backing store had, and a store of its own for what changes on either side. Of a thin volume it is a thin one.</summary>
    [JsonStringEnumMemberName("snapshot")] Snapshot,

    /// <summary>Another one, made by other means. Observed.</summary>
    [JsonStringEnumMemberName("other")] Other,
}
