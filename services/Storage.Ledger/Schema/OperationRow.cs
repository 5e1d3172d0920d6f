using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// An operation: at once the durable intent, the idempotency record, the outbox, the queue entry and the answer.
/// </summary>
public sealed class OperationRow
{
    /// <summary>The command's id.</summary>
    public Guid Id { get; init; }

    /// <summary>The order of acceptance.</summary>
    public long Sequence { get; init; }

    public required string Command { get; init; }

    /// <summary>The command's record as JSON, without its id.</summary>
    public required string Arguments { get; init; }

    /// <summary>SHA-256 of command and arguments: the same id with another fingerprint is refused.</summary>
    public required string Fingerprint { get; init; }

    public OperationState State { get; set; }

    /// <summary>What it acts on, see <see cref="Contracts.Resources"/>.</summary>
    public required string Resource { get; init; }

    public Guid? PoolId { get; init; }

    /// <summary>The volume it acts on; null for a pool as a whole and for many volumes.</summary>
    public string? Volume { get; init; }

    /// <summary>The queue of the worker that runs it; null where the ledger does.</summary>
    public string? Queue { get; init; }

    /// <summary>Command and pool type, such as <c>CreateVolume/dir</c>: operations of one kind take about as long as each other.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The host whose worker holds it: of those that any replica may take, null until one has asked for it.</summary>
    public string? Worker { get; set; }

    /// <summary>The process that holds it.</summary>
    public Guid? WorkerInstance { get; set; }

    /// <summary>Another process held it before, and may have left something on the storage.</summary>
    public bool HeldBefore { get; set; }

    /// <summary>As in <see cref="HoldRun"/>; null once it has ended.</summary>
    public string? Plan { get; set; }

    public EventCause Cause { get; init; }

    /// <summary>JSON of <see cref="OperationProgress"/>.</summary>
    public string? Progress { get; set; }

    /// <summary>JSON of <see cref="StorageError"/>.</summary>
    public string? Error { get; set; }

    /// <summary>JSON of what it found, or of the name that its volume was given.</summary>
    public string? Result { get; set; }

    public bool CancelRequested { get; set; }

    /// <summary>It expires when it has not begun by then; null is never.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>The deadline passed after it was dispatched: its worker was told to end it, should it not have begun.</summary>
    public bool ExpiryRequested { get; set; }

    public DateTimeOffset AcceptedAt { get; init; }
    public DateTimeOffset? DispatchedAt { get; set; }

    /// <summary>When it was last sent to its worker, and how often.</summary>
    public DateTimeOffset? SentAt { get; set; }

    public int Sent { get; set; }
    public DateTimeOffset? EndedAt { get; set; }
    public string? TraceParent { get; init; }

    public bool Ended => State >= OperationState.Succeeded;

    /// <summary>Any replica of its worker may take it.</summary>
    public bool Shared => Queue is not null && Queues.Shared.Contains(Queue);

    /// <summary>No worker has begun it for certain: it stands in line, or none of the replicas has asked for it.</summary>
    public bool Unbegun => State is OperationState.Queued || (Shared && Worker is null);

    /// <summary>Where the worker that has it is reached.</summary>
    public string? HolderQueue => Worker is null ? Queue : Queues.OnHost(Queue!, Worker);
}

/// <summary>
/// A resource that a live operation uses. The rows of a resource in order of sequence are its queue: an operation runs when none
/// of its claims stands behind an older claim on the same resource of which one is exclusive. Removed when the operation ends.
/// </summary>
public sealed class ClaimRow
{
    public required string Resource { get; init; }
    public long Sequence { get; init; }
    public Guid OperationId { get; init; }
    public bool Exclusive { get; init; }

    /// <summary>As <see cref="OperationRow.Kind"/>.</summary>
    public string Kind { get; init; } = "";
}
