namespace Storage.Contracts;

// The events: what became true. Each travels as the Data of a StorageEvent, which has id, resource, revision, time, host and cause.

// Pools
public sealed record PoolDefined(
    Guid PoolId, string Name, string Host, PoolDefinition Definition, int Version, bool Persistent, bool Autostart);

public sealed record PoolAutostartSet(Guid PoolId, bool Autostart);

public sealed record PoolUndefined(Guid PoolId, string Name, string Host);

public sealed record PoolBuilt(Guid PoolId);

public sealed record PoolStarted(Guid PoolId, PoolObservation Observation);

public sealed record PoolStopped(Guid PoolId);

public sealed record PoolRefreshed(Guid PoolId, PoolObservation Observation);

public sealed record PoolDeleted(Guid PoolId);

/// <summary>The pool was seen in another state than expected: unmounted, gone, unreachable.</summary>
public sealed record PoolStateChanged(Guid PoolId, PoolState State, string? Reason);

public sealed record PoolSourcesFound(PoolType Type, IReadOnlyList<PoolSource> Sources);

/// <summary>What was seen of a pool. Sizes in bytes.</summary>
/// <param name="Skipped">Entries that are no volumes or could not be read.</param>
public sealed record PoolObservation(
    PoolState State, long Capacity, long Allocation, long Available, Permissions? Permissions = null, int Volumes = 0, int Skipped = 0);

// Volumes
public sealed record VolumeCreated(Guid PoolId, VolumeDefinition Volume);

public sealed record VolumeCloned(Guid PoolId, VolumeDefinition Volume, Guid SourcePoolId, string SourceVolume);

public sealed record VolumeResized(Guid PoolId, VolumeDefinition Volume);

public sealed record VolumeWiped(Guid PoolId, VolumeDefinition Volume, WipeAlgorithm Algorithm);

public sealed record VolumeDeleted(Guid PoolId, string Name);

/// <summary>A volume that no command made.</summary>
public sealed record VolumeAppeared(Guid PoolId, VolumeDefinition Volume);

/// <summary>A volume is seen otherwise than before (size, format, owner, problem).</summary>
public sealed record VolumeChanged(Guid PoolId, VolumeDefinition Volume);

/// <summary>A volume that no command deleted is gone.</summary>
public sealed record VolumeVanished(Guid PoolId, string Name);

/// <summary>
/// A part of a refresh: every volume of the pool whose name is after <paramref name="After"/> and not after <paramref name="Through"/>
/// (in the order of UTF-8 bytes; null is open). A known volume in that range that is not listed is gone. Not kept in the event log:
/// the differences that follow from it are, as <see cref="VolumeAppeared"/>, <see cref="VolumeChanged"/> and <see cref="VolumeVanished"/>.
/// </summary>
public sealed record VolumesObserved(Guid PoolId, string? After, string? Through, IReadOnlyList<VolumeDefinition> Volumes);

// Operations
public sealed record OperationAccepted(Guid OperationId, string Command, string Target);

public sealed record OperationProgressed(Guid OperationId, OperationProgress Progress);

/// <param name="Result">What the operation found, where finding is its purpose.</param>
public sealed record OperationSucceeded(Guid OperationId, System.Text.Json.JsonElement? Result = null);

public sealed record OperationFailed(Guid OperationId, StorageError Error);

public sealed record OperationCancelled(Guid OperationId);

public sealed record OperationExpired(Guid OperationId);

// Workers
public sealed record WorkerAnnounced(WorkerAnnouncement Announcement);

public sealed record WorkerLost(string Host, PoolFamily Family, DateTimeOffset LastSeenAt);
