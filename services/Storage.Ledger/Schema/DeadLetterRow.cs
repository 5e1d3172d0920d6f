using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>A message that could not be handled. Deliveries of one message are one row for as long as nobody has decided about it.</summary>
public sealed class DeadLetterRow
{
    /// <summary>That of the first <see cref="DeadLetter"/>.</summary>
    public Guid Id { get; init; }

    /// <summary>The order of arrival.</summary>
    public long Sequence { get; init; }

    public required string Fingerprint { get; init; }
    public required string Queue { get; init; }
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>When it was delivered last, and how often in all.</summary>
    public DateTimeOffset LastReceivedAt { get; set; }

    public int Deliveries { get; set; }

    /// <summary>The code of <see cref="Error"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>JSON of <see cref="StorageError"/>.</summary>
    public required string Error { get; init; }

    public string? ExceptionType { get; init; }
    public string? MessageType { get; init; }
    public string? MessageId { get; init; }
    public string? ContentType { get; init; }

    /// <summary>A JSON object of strings.</summary>
    public required string Headers { get; init; }

    /// <summary>Its beginning, without secrets.</summary>
    public required byte[] Body { get; init; }

    /// <summary>How long it was.</summary>
    public long BodyLength { get; init; }

    /// <summary>Secrets were removed from the body.</summary>
    public bool Masked { get; init; }

    /// <summary>The body is what came.</summary>
    public bool Whole => !Masked && Body.Length == BodyLength;

    public DeadLetterState State { get; set; }

    /// <summary>When it was replayed or discarded.</summary>
    public DateTimeOffset? ClosedAt { get; set; }

    /// <summary>The letter whose replay it is.</summary>
    public Guid? ReplayOf { get; init; }

    /// <summary>When <see cref="DeadLettered"/> was logged for it; null where that of another letter stands for it.</summary>
    public DateTimeOffset? AnnouncedAt { get; init; }
}
