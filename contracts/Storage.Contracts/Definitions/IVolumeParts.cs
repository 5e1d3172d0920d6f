namespace Storage.Contracts;

/// <summary>
/// The parts of a volume as someone gave them, as a <see cref="VolumeDefinition"/> or as a document; <see cref="VolumeRules"/> asks
/// for each once, as <see cref="PoolRules"/> does for a pool's.
/// </summary>
internal interface IVolumeParts
{
    string? Name { get; }

    string? Key { get; }

    VolumeKind? Type { get; }

    BackingStore? BackingStore { get; }

    long? Capacity { get; }

    long? Allocation { get; }

    Preallocation? Preallocation { get; }

    VolumeLayout? Layout { get; }

    string? Path { get; }

    string? Format { get; }

    Permissions? Permissions { get; }

    VolumeEncryption? Encryption { get; }

    string? Compat { get; }

    bool NoCow { get; }

    long? ClusterSize { get; }

    IReadOnlyList<string>? Features { get; }
}
