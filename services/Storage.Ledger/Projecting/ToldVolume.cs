using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>A volume as it is told of, with what is stored of that.</summary>
internal sealed class ToldVolume(VolumeDefinition seen)
{
    public VolumeDefinition Seen { get; } = seen;

    /// <summary><see cref="VolumeRow.Document"/>.</summary>
    public string Document { get; } = JsonSerializer.Serialize(seen, StorageJson.Options);

    /// <summary><see cref="VolumeRow.Digest"/>.</summary>
    public byte[] Digest { get; } = VolumeDigest.Of(seen);

    /// <summary>The volume that an event says is so now; null for any other event.</summary>
    /// <exception cref="JsonException">The event cannot be read.</exception>
    public static ToldVolume? Of(StorageEvent entry) => DefinitionOf(entry) is { } seen ? new ToldVolume(seen) : null;

    private static VolumeDefinition? DefinitionOf(StorageEvent entry) => entry.Type switch
    {
        nameof(VolumeCreated) => entry.Read<VolumeCreated>().Volume,
        nameof(VolumeCloned) => entry.Read<VolumeCloned>().Volume,
        nameof(VolumeResized) => entry.Read<VolumeResized>().Volume,
        nameof(VolumeWiped) => entry.Read<VolumeWiped>().Volume,
        nameof(VolumeMerged) => entry.Read<VolumeMerged>().Volume,
        nameof(VolumeAppeared) => entry.Read<VolumeAppeared>().Volume,
        nameof(VolumeChanged) => entry.Read<VolumeChanged>().Volume,
        _ => null,
    };
}

/// <summary>As <see cref="VolumesObserved"/>.</summary>
internal sealed record ToldRange(Guid Pool, string? After, string? Through, IReadOnlyList<ToldVolume> Volumes)
{
    public static ToldRange Of(VolumesObserved seen) => new(seen.PoolId, seen.After, seen.Through, [.. seen.Volumes.Select(volume => new ToldVolume(volume))]);
}
