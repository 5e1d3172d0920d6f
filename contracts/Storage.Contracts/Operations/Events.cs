namespace Storage.Contracts;

// The events: what became true. Each travels as the Data of a StorageEvent, which has id, resource, revision, time, host and cause.

// Pools
/// <summary>A pool's definition was kept, for the first time or anew.</summary>
public sealed record PoolDefined(
    Guid PoolId, string Name, string Host, PoolDefinition Definition, int Version, bool Persistent, bool Autostart);

/// <summary>Whether the pool is started when its worker comes up was set.</summary>
public sealed record PoolAutostartSet(Guid PoolId, bool Autostart);

/// <summary>A pool was forgotten. Its data stays.</summary>
public sealed record PoolUndefined(Guid PoolId, string Name, string Host);

/// <summary>The storage of a pool was made.</summary>
public sealed record PoolBuilt(Guid PoolId);

/// <summary>A pool became usable.</summary>
public sealed record PoolStarted(Guid PoolId, PoolObservation Observation);

/// <summary>The use of a pool ended.</summary>
public sealed record PoolStopped(Guid PoolId);

/// <summary>A pool and its volumes were looked at again.</summary>
public sealed record PoolRefreshed(Guid PoolId, PoolObservation Observation);

/// <summary>The storage of a pool was removed.</summary>
public sealed record PoolDeleted(Guid PoolId);

/// <summary>The pool was seen in another state than expected: unmounted, gone, unreachable.</summary>
public sealed record PoolStateChanged(Guid PoolId, PoolState State, string? Reason);

/// <summary>
/// How full a pool is, in bytes, after its volumes have changed by commands or otherwise. Told by types that know it without a refresh, and
/// while volumes go on changing once a second.
/// </summary>
/// <param name="FreeExtents">As in <see cref="PoolObservation"/>.</param>
public sealed record PoolSpaceChanged(Guid PoolId, long Capacity, long Allocation, long Available, IReadOnlyList<FreeExtent>? FreeExtents = null);

/// <summary>What a search for sources found on a host.</summary>
public sealed record PoolSourcesFound(PoolType Type, IReadOnlyList<PoolSource> Sources);

/// <summary>What was seen of a pool. Sizes in bytes.</summary>
/// <param name="Skipped">Entries that are no volumes or could not be read.</param>
/// <param name="Watched">From now on its worker tells by itself what others change in it, as <see cref="VolumesSeen"/>.</param>
/// <param name="Directory">The directory with the volumes, its path without symbolic links; null where a pool is none.</param>
/// <param name="Problem">Why it is degraded; null where it is not.</param>
/// <param name="FreeExtents">What is free of its one device, in the order of the device (disk); null for other types.</param>
public sealed record PoolObservation(
    PoolState State, long Capacity, long Allocation, long Available, Permissions? Permissions = null, int Volumes = 0, int Skipped = 0,
    bool Watched = false, string? Directory = null, string? Problem = null, IReadOnlyList<FreeExtent>? FreeExtents = null);

/// <summary>
/// More has changed in a watched pool than its worker tells one by one: the pool is to be refreshed. Not kept in the event log: the refresh is.
/// </summary>
public sealed record PoolRefreshWanted(Guid PoolId, string Reason);

// Volumes
/// <summary>A command made a volume.</summary>
public sealed record VolumeCreated(Guid PoolId, VolumeDefinition Volume);

/// <summary>A command made a volume from another.</summary>
public sealed record VolumeCloned(Guid PoolId, VolumeDefinition Volume, Guid SourcePoolId, string SourceVolume);

/// <summary>A command changed a volume's capacity.</summary>
public sealed record VolumeResized(Guid PoolId, VolumeDefinition Volume);

/// <summary>A command overwrote a volume's content.</summary>
public sealed record VolumeWiped(Guid PoolId, VolumeDefinition Volume, WipeAlgorithm Algorithm);

/// <summary>A command gave a volume the content of its snapshot. That the snapshot is gone says a <see cref="VolumeDeleted"/> beside it.</summary>
public sealed record VolumeMerged(Guid PoolId, VolumeDefinition Volume, string Snapshot);

/// <summary>A command removed a volume.</summary>
public sealed record VolumeDeleted(Guid PoolId, string Name);

/// <summary>A volume that no command made.</summary>
public sealed record VolumeAppeared(Guid PoolId, VolumeDefinition Volume);

/// <summary>A volume is seen otherwise than before (size, format, owner, problem).</summary>
public sealed record VolumeChanged(Guid PoolId, VolumeDefinition Volume);

/// <summary>A volume that no command deleted is gone.</summary>
public sealed record VolumeVanished(Guid PoolId, string Name);

/// <summary>
/// A thin pool has become fuller than a threshold (80, 90, 95 and 100 percent): when it has no room left, every volume in it fails. Told once for
/// each threshold on the way up; seen within 10 seconds while its worker runs, else by a refresh.
/// </summary>
/// <param name="Volume">The thin pool.</param>
/// <param name="DataPercent">How full it is.</param>
/// <param name="MetadataPercent">How full its metadata is: the pool fails when that is, whatever its data.</param>
/// <param name="Threshold">The highest that one of the two has come to, in percent.</param>
public sealed record ThinPoolFilled(Guid PoolId, string Volume, double? DataPercent, double? MetadataPercent, int Threshold);

/// <summary>
/// A part of a refresh: every volume of the pool whose name is after <paramref name="After"/> and not after <paramref name="Through"/>
/// (in the order of UTF-8 bytes; null is open). A known volume in that range that is not listed is gone. Not kept in the event log:
/// the differences that follow from it are, as <see cref="VolumeAppeared"/>, <see cref="VolumeChanged"/> and <see cref="VolumeVanished"/>.
/// </summary>
public sealed record VolumesObserved(Guid PoolId, string? After, string? Through, IReadOnlyList<VolumeDefinition> Volumes);

/// <summary>
/// A part of a refresh, told by digests: every volume of the pool whose name is after <paramref name="After"/>, range by range. The
/// <see cref="ReportTaken"/> says which ranges are known as they are; the others come as <see cref="VolumesObserved"/>. Not kept in the event log.
/// </summary>
/// <param name="PoolId">The pool.</param>
/// <param name="After">In the order of UTF-8 bytes; null is open.</param>
/// <param name="Ranges">One after the other.</param>
public sealed record VolumesCompared(Guid PoolId, string? After, IReadOnlyList<VolumeRange> Ranges);

/// <summary>
/// Single volumes of a watched pool, looked at because something has happened to them: those that are there, and the names under which there
/// is none. Nothing is said of others. Its revision was taken before the look. Not kept in the event log: the differences that follow from it
/// are, as <see cref="VolumeAppeared"/>, <see cref="VolumeChanged"/> and <see cref="VolumeVanished"/>.
/// </summary>
public sealed record VolumesSeen(Guid PoolId, IReadOnlyList<VolumeDefinition> Volumes, IReadOnlyList<string> Gone);

// Operations
/// <summary>A command was accepted: its operation is queued.</summary>
public sealed record OperationAccepted(Guid OperationId, string Command, string Target);

/// <summary>How far a running operation is.</summary>
public sealed record OperationProgressed(Guid OperationId, OperationProgress Progress);

/// <summary>An operation ended with its effect.</summary>
/// <param name="Result">What the operation found, where finding is its purpose; <c>{"volume": …}</c>, the name of a volume that was made without being given one.</param>
public sealed record OperationSucceeded(Guid OperationId, System.Text.Json.JsonElement? Result = null);

/// <summary>An operation ended without its effect, for the reason given.</summary>
public sealed record OperationFailed(Guid OperationId, StorageError Error);

/// <summary>An operation ended because it was told to.</summary>
public sealed record OperationCancelled(Guid OperationId);

/// <summary>An operation ended because it was not run in time.</summary>
public sealed record OperationExpired(Guid OperationId);

// Workers
/// <summary>A worker says who it is and what it can do.</summary>
public sealed record WorkerAnnounced(WorkerAnnouncement Announcement);

/// <summary>Nothing was heard of a worker for too long.</summary>
public sealed record WorkerLost(string Host, PoolFamily Family, DateTimeOffset LastSeenAt);

// Messages
/// <summary>
/// A message could not be handled and is kept as a dead letter. Of a queue and reason at most one event a minute: more letters may be
/// there than events.
/// </summary>
/// <param name="Queue">The queue that it came from.</param>
/// <param name="Reason">One of <see cref="ErrorCodes"/>.</param>
/// <param name="MessageType">What it says of itself.</param>
/// <param name="ReplayOf">The letter whose replay it is.</param>
public sealed record DeadLettered(Guid DeadLetterId, string Queue, string Reason, string? MessageType = null, Guid? ReplayOf = null);
