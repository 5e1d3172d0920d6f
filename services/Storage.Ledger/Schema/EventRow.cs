using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>One entry of the event log. Sequences rise in the order of commit, so a reader that has seen N has seen all before it.</summary>
public sealed class EventRow
{
    public long Sequence { get; init; }
    public Guid EventId { get; init; }
    public required string Type { get; init; }
    public required string Resource { get; init; }
    public Guid? PoolId { get; init; }
    public long Revision { get; init; }
    public DateTimeOffset OccurredAt { get; init; }
    public string? Host { get; init; }
    public EventCause Cause { get; init; }
    public Guid? CommandId { get; init; }
    public required string Data { get; init; }
}

/// <summary>How far a reader of the event log has come.</summary>
public sealed class CursorRow
{
    public required string Reader { get; init; }
    public long Sequence { get; set; }
}
