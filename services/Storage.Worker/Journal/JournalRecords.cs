using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What the journal already knew of a run when it was handed in.</summary>
public enum RunStanding
{
    /// <summary>Nothing: it is journalled now and is to be run.</summary>
    New,

    /// <summary>It waits or runs in this process: nothing is to be done.</summary>
    Live,

    /// <summary>It has ended: its outcome is to be reported again.</summary>
    Ended,

    /// <summary>Unknown so far, but a cancel of it came first: it is to be ended without being run.</summary>
    Cancelled,
}

/// <param name="Outcome">What an ended run ended with.</param>
/// <param name="MayHaveEnded">It was not known any more, or never: it may be a late copy of a run that has ended and was forgotten.</param>
public sealed record RunAcceptance(OperationRun Run, RunStanding Standing, RunOutcome? Outcome = null, bool MayHaveEnded = false);

/// <summary>A run of an earlier process that has not ended.</summary>
/// <param name="Run">Null where the entry cannot be read any more.</param>
/// <param name="Begun">It may have begun to change the host.</param>
/// <param name="CancelRequested">It is to be undone, not done.</param>
public sealed record UnendedRun(Guid OperationId, OperationRun? Run, bool Begun, bool CancelRequested)
{
    /// <summary>As <see cref="Worker.Run.Plan"/>.</summary>
    public string? Plan { get; init; }

    /// <summary>As <see cref="RunAcceptance.MayHaveEnded"/>.</summary>
    public bool MayHaveEnded { get; init; }
}

/// <summary>
/// What became true through a run, in order; the last event is its one terminal event. The ids of the events are fixed when it is
/// journalled, so that a second report of it is seen as one.
/// </summary>
public sealed record RunOutcome(Guid OperationId, IReadOnlyList<StorageEvent> Events);
