using System.Text.Json;
using System.Text.Json.Serialization;

namespace Storage.Contracts;

// What the ledger and the workers say to each other.

/// <summary>
/// Work for one worker, sent to <see cref="Queues.Worker(PoolFamily, string)"/>, or to <see cref="Queues.Worker(PoolFamily)"/> for any replica. The worker
/// journals it before it acknowledges.
/// </summary>
public sealed record RunOperations(IReadOnlyList<OperationRun> Runs);

/// <summary>One operation to run. Sent again while nothing is heard of it; running it twice has one effect.</summary>
/// <param name="OperationId">The command's id.</param>
/// <param name="Command">The command's name.</param>
/// <param name="Pool">The pool's whole definition with its uuid; null for commands on a host.</param>
/// <param name="Arguments">The command's record as JSON.</param>
/// <param name="Revision">Above every revision given so far to the operation and its pool: the worker's events have higher ones.</param>
/// <param name="AcceptedAt">When it was accepted.</param>
/// <param name="Cause">Who asked.</param>
/// <param name="SourcePool">The definition of another pool that the command reads from (clone).</param>
/// <param name="TraceParent">W3C trace context of the request.</param>
/// <param name="Shared">Any replica may run it: the one that got it asks by <see cref="HoldRun"/> before it does anything.</param>
/// <param name="PoolDirectories">The directories of the host's pools, in which a backing store may lie; null where the command opens none.</param>
/// <param name="SourceVolume">The volume of another pool that the command reads from, as it was last seen (clone); null where it is a file.</param>
public sealed record OperationRun(
    Guid OperationId,
    string Command,
    PoolDefinition? Pool,
    JsonElement Arguments,
    long Revision,
    DateTimeOffset AcceptedAt,
    EventCause Cause = EventCause.Command,
    PoolDefinition? SourcePool = null,
    string? TraceParent = null,
    bool Shared = false,
    IReadOnlyList<string>? PoolDirectories = null,
    VolumeDefinition? SourceVolume = null);

/// <summary>
/// May this worker run an operation that any replica may take? Asked at <see cref="Queues.Inventory"/> before the first step, also of what
/// was begun before a restart or was cut off, and of what only its own host may run where that was sent so long ago that it may have ended
/// and been forgotten. Answered by <see cref="RunHold"/>; asking again changes nothing.
/// </summary>
/// <param name="Instance">As the worker announced itself.</param>
/// <param name="Plan">
/// What the holder has worked out and is about to begin, such as the size that a difference comes to: kept, once granted, for whoever holds
/// the run next, which does not work it out again. The worker's own words.
/// </param>
public sealed record HoldRun(Guid OperationId, PoolFamily Family, string Host, Guid Instance, string? Plan = null);

/// <summary>The answer to <see cref="HoldRun"/>.</summary>
/// <param name="OperationId">The operation.</param>
/// <param name="Decision">Whether the worker may run it.</param>
/// <param name="Resumed">Another process held it before: what that left on the storage is adopted or removed first.</param>
/// <param name="Cancelled">It is to be ended, not done.</param>
/// <param name="Revision">As that of <see cref="OperationRun"/>, of now.</param>
/// <param name="LeaseMilliseconds">
/// The worker goes on for so long after it made the last announcement that was taken. Then it stops, leaves everything as it is, and asks again.
/// </param>
/// <param name="Plan">As a holder gave it in <see cref="HoldRun"/>; null where none did.</param>
public sealed record RunHold(
    Guid OperationId, HoldDecision Decision, bool Resumed = false, bool Cancelled = false, long Revision = 0, long LeaseMilliseconds = 0,
    string? Plan = null);

/// <summary>Whether a worker may run what any replica may take.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HoldDecision>))]
public enum HoldDecision
{
    /// <summary>It holds the operation now, and nobody else does.</summary>
    [JsonStringEnumMemberName("granted")] Granted,

    /// <summary>It is not known to be alive: it announces itself, and asks again.</summary>
    [JsonStringEnumMemberName("wait")] Wait,

    /// <summary>Another one holds it, or it is not to be run now: it is forgotten, and sent again should it come back.</summary>
    [JsonStringEnumMemberName("moved")] Moved,

    /// <summary>It has ended.</summary>
    [JsonStringEnumMemberName("ended")] Ended,
}

/// <summary>Stop running an operation and undo it. No answer of its own: the operation's end is the answer.</summary>
public sealed record CancelRun(Guid OperationId);

/// <summary>
/// The deadline of an operation has passed: end its run unless it has begun; one that has begun goes on. The operation's end is the answer:
/// <see cref="OperationCancelled"/> says that it never ran.
/// </summary>
public sealed record ExpireRun(Guid OperationId);

/// <summary>
/// Events of one worker, in the order in which they occurred, sent to <see cref="Queues.Inventory"/>. The worker sends the next one when
/// this one was answered by <see cref="ReportTaken"/>, so that they are taken in this order whoever takes them.
/// </summary>
public sealed record HostReport(string Host, PoolFamily Family, Guid Instance, IReadOnlyList<StorageEvent> Events);

/// <summary>The answer to a <see cref="HostReport"/>: its events are in the inventory and will not be lost.</summary>
/// <param name="Events">How many.</param>
/// <param name="Known">What of its <see cref="VolumesCompared"/> is known as it is; null is nothing.</param>
public sealed record ReportTaken(int Events, IReadOnlyList<KnownRanges>? Known = null);

/// <summary>The volumes whose names are after those of the range before it.</summary>
/// <param name="Through">And not after this one; null is open.</param>
/// <param name="Digest">As <see cref="VolumeDigest.OfRange"/>.</param>
public sealed record VolumeRange(string? Through, byte[] Digest);

/// <summary>The ranges of one <see cref="VolumesCompared"/> whose volumes are in the inventory as they were seen, and no others.</summary>
/// <param name="EventId">The event.</param>
/// <param name="Ranges">Their places in it, from 0.</param>
public sealed record KnownRanges(Guid EventId, IReadOnlyList<int> Ranges);

/// <summary>Who a worker is and what it can do. Sent when it comes up and every <see cref="Interval"/>; silence of <see cref="LostAfter"/> means lost.</summary>
/// <param name="Instance">New for every start of the process.</param>
/// <param name="BackingStores">Paths at or below which backing stores may lie, beside the directories of the host's pools; null where it does not say.</param>
public sealed record WorkerAnnouncement(
    string Host,
    PoolFamily Family,
    Guid Instance,
    string Version,
    DateTimeOffset StartedAt,
    IReadOnlyList<PoolTypeSupport> PoolTypes,
    IReadOnlyList<string>? BackingStores = null)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(20);
}

/// <summary>What one worker can do for a pool type.</summary>
/// <param name="Reason">Why the type is not available; null when it is.</param>
/// <param name="Operations">Names of <see cref="Contracts.PoolOperations"/> that it can do.</param>
/// <param name="VolumeFormats">Formats that it can create, each with the reason where it cannot.</param>
/// <param name="Encryption">Formats of encryption with which it can create volumes, each with the reason where it cannot; null where nothing is said of it.</param>
public sealed record PoolTypeSupport(
    PoolType Type,
    bool Available,
    string? Reason,
    IReadOnlyList<string> Operations,
    IReadOnlyList<FormatSupport> VolumeFormats,
    IReadOnlyList<HostTool> Tools,
    IReadOnlyList<FormatSupport>? Encryption = null);

public sealed record FormatSupport(string Format, bool Available, string? Reason = null);

/// <param name="Path">Where it was found; null when missing.</param>
/// <param name="Version">As the tool prints it.</param>
public sealed record HostTool(string Name, string? Path, string? Version);
