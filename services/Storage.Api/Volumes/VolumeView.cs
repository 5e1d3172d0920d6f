using System.Text.Json;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>A volume as last seen. Sizes in bytes.</summary>
/// <param name="Pool">The pool's uuid.</param>
/// <param name="Key">Identity within the pool type (for files the path).</param>
/// <param name="Capacity">What a guest sees.</param>
/// <param name="Allocation">What it takes from the pool.</param>
/// <param name="Physical">The container file or device.</param>
/// <param name="ObservedAt">When it was last seen, by itself or by a refresh of its pool.</param>
/// <param name="Problem">What is wrong with it.</param>
public sealed record VolumeView(
    string Name,
    Guid Pool,
    string? Key,
    string? Path,
    VolumeKind Type,
    string? Format,
    long Capacity,
    long Allocation,
    long Physical,
    DateTimeOffset ObservedAt,
    string? Problem,
    Permissions? Permissions,
    Timestamps? Timestamps,
    VolumeEncryption? Encryption,
    string? Compat,
    bool NoCow,
    long? ClusterSize,
    IReadOnlyList<string>? Features,
    BackingStore? BackingStore,
    VolumeLayout? Layout,
    IReadOnlyList<SourceExtent>? Extents)
{
    public static VolumeView Of(VolumeRow row, PoolRow pool)
    {
        var document = DocumentOf(row);
        return new VolumeView(
            row.Name,
            row.PoolId,
            row.Key,
            row.Path,
            row.Type,
            row.Format,
            row.Capacity,
            row.Allocation,
            row.Physical,
            SeenAt(row, pool),
            row.Problem,
            document.Permissions,
            document.Timestamps,
            document.Encryption,
            document.Compat,
            document.NoCow,
            document.ClusterSize,
            document.Features,
            document.BackingStore,
            document.Layout,
            document.Extents);
    }

    /// <summary>When it was last seen: a refresh of its pool has seen it too, also where it had nothing to tell of it.</summary>
    public static DateTimeOffset SeenAt(VolumeRow row, PoolRow pool) =>
        pool.ObservedAt is { } refreshed && refreshed > row.ObservedAt ? refreshed : row.ObservedAt;

    /// <summary>libvirt's document of the volume.</summary>
    public static VolumeDefinition DocumentOf(VolumeRow row) =>
        JsonSerializer.Deserialize<VolumeDefinition>(row.Document, StorageJson.Options)!;
}
