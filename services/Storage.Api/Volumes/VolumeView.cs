using Storage.Contracts;

namespace Storage.Api;

/// <summary>A volume as last seen. Sizes in bytes. Written by <see cref="VolumeJson"/>.</summary>
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
    IReadOnlyList<SourceExtent>? Extents);
