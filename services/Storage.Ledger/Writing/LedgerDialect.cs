using Microsoft.EntityFrameworkCore.Storage;

namespace Storage.Ledger;

/// <summary>What PostgreSQL and SQLite do differently.</summary>
public abstract class LedgerDialect
{
    /// <summary>The reader of <see cref="CursorRow"/> whose sequence is raised whenever a worker changes.</summary>
    public const string Workers = "workers";

    /// <summary>Makes this transaction the only writing one of its kind until it ends.</summary>
    public abstract Task LockAsync(LedgerDb db, LedgerLock kind, CancellationToken cancellationToken);

    /// <summary>
    /// Makes this transaction the only writer of operations, projections and the event log, and reads what it is going to need. What was read is
    /// tracked by the context.
    /// </summary>
    public abstract Task<Opening> BeginWritingAsync(LedgerDb db, Wanted wanted, CancellationToken cancellationToken);

    /// <summary>Writes what the context has changed, and takes operations out of all lines that they stand in.</summary>
    /// <param name="ofEachLine">No more are told of one line.</param>
    /// <returns>
    /// Those in these lines whose turn it may be now: behind one who had the resource alone, all up to the next who is to have it alone; behind others,
    /// that one. However long a line is, the rest of it is not looked at.
    /// </returns>
    public abstract Task<IReadOnlyList<Guid>> ReleaseAsync(
        LedgerDb db, IReadOnlyList<Guid> operations, int ofEachLine, CancellationToken cancellationToken);

    /// <summary>
    /// Writes what the context has changed and the events, takes operations out of all lines that they stand in, and commits. Where the log has grown,
    /// other processes hear of it.
    /// </summary>
    public abstract Task CommitAsync(
        LedgerDb db, IDbContextTransaction transaction, IReadOnlyList<EventRow> events, IReadOnlyList<Guid> released, LogGrowth? grown,
        CancellationToken cancellationToken);

    /// <summary>Pulses the signal whenever another process committed; returns when that is not possible or was cut off.</summary>
    public abstract Task ListenAsync(LedgerSignal signal, CancellationToken cancellationToken);

    /// <summary>Follows the log for a reader, of which there is one at a time in all processes.</summary>
    public abstract Task<ILogCursor> FollowAsync(string reader, LedgerLock kind, CancellationToken cancellationToken);

    /// <summary>Brings the schema up to date, whoever else is about to.</summary>
    public abstract Task MigrateAsync(LedgerDb db, CancellationToken cancellationToken);
}

/// <summary>How the log has grown.</summary>
/// <param name="Event">The sequence of its last event.</param>
/// <param name="Ended">The operations that ended; null where they were too many to be named.</param>
public sealed record LogGrowth(long Event, IReadOnlyList<Guid>? Ended)
{
    /// <summary>More than that, nobody waits for one by one; it keeps what is told below the 8,000 bytes of a notification.</summary>
    public const int NamedAtMost = 200;
}

/// <summary>A reader of the log that comes back to where it was. Once it fails it is of no more use.</summary>
public interface ILogCursor : IAsyncDisposable
{
    /// <summary>Up to <paramref name="limit"/> events after those that were given before, which are done with: they do not come again after a restart.</summary>
    Task<IReadOnlyList<EventRow>> NextAsync(int limit, CancellationToken cancellationToken);
}

/// <summary>What one process at a time does.</summary>
public enum LedgerLock
{
    /// <summary>The one writer of operations, projections and the event log.</summary>
    Writer = 1,

    /// <summary>The one that passes the event log on to the bus.</summary>
    Relay = 2,

    /// <summary>The one that decides about dead letters.</summary>
    DeadLetters = 3,

    /// <summary>The one that writes secrets.</summary>
    Secrets = 4,

    /// <summary>The one that brings the schema up to date.</summary>
    Migration = 5,
}
