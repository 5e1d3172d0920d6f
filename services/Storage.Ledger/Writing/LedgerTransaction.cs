using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The one way to write. Writers of all processes take turns, each with a batch of work, so that operations and events have gapless
/// sequences in the order of commit and no rule of the ledger can be undercut by a race. What is to be sent is sent after the commit.
/// </summary>
public sealed class LedgerTransaction : IAsyncDisposable
{
    private readonly LedgerWriter writer;
    private readonly IDbContextTransaction transaction;
    private readonly List<EventRow> events = [];
    private readonly List<WorkerMessage> messages = [];
    private readonly List<Guid> released = [];
    private long lastOperation;
    private long lastEvent;
    private readonly List<Guid> ended = [];

    private LedgerTransaction(LedgerWriter writer, LedgerDb db, IDbContextTransaction transaction, Opening opening, DateTimeOffset now)
    {
        this.writer = writer;
        this.transaction = transaction;
        (lastOperation, lastEvent) = (opening.LastOperation, opening.LastEvent);
        Db = db;
        Now = now;
        Opening = opening;
        Inventory = new InventoryState(db, writer.Workers, opening);
    }

    public LedgerDb Db { get; }

    /// <summary>The time of everything in this transaction.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>Pools, volumes and workers as this transaction sees and changes them.</summary>
    public InventoryState Inventory { get; }

    /// <summary>What was read when it began.</summary>
    public Opening Opening { get; }

    internal static async Task<LedgerTransaction> BeginAsync(
        LedgerWriter writer, LedgerDb db, LedgerDialect dialect, Wanted wanted, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        try
        {
            var begun = new LedgerTransaction(writer, db, transaction, await dialect.BeginWritingAsync(db, wanted, cancellationToken), now);
            begun.Inventory.Know(wanted, begun.Opening);
            return begun;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="LedgerDialect.ReleaseAsync"/>
    public Task<IReadOnlyList<Guid>> ReleaseAsync(IReadOnlyList<Guid> operations, int ofEachLine, CancellationToken cancellationToken) =>
        writer.Dialect.ReleaseAsync(Db, operations, ofEachLine, cancellationToken);

    /// <summary>Takes operations out of all lines that they stand in, behind which nobody waits.</summary>
    public void ReleaseAtCommit(IReadOnlyList<Guid> operations) => released.AddRange(operations);

    /// <summary>Known to this process: more waits for nothing than one wave has let run. After a crash the sweep finds it.</summary>
    public bool ReadyLeft
    {
        get => writer.ReadyLeft;
        set => writer.ReadyLeft = value;
    }

    public long NextOperationSequence() => ++lastOperation;

    /// <summary>A revision above everything known of the resource, and in step with the workers' clocks.</summary>
    public long NextRevision(long known) => Math.Max(known + 1, Revisions.At(Now));

    /// <summary>Adds an event to the log as it is; applying it to the inventory is the caller's.</summary>
    public void Log(StorageEvent entry)
    {
        events.Add(Row(entry, ++lastEvent));
        if (EventFeed.Ends.Contains(entry.Type) && entry.CommandId is { } operation)
            ended.Add(operation);
    }

    private static EventRow Row(StorageEvent entry, long sequence) => new()
    {
        Sequence = sequence,
        EventId = entry.EventId,
        Type = entry.Type,
        Resource = entry.Resource,
        PoolId = Resources.PoolOf(entry.Resource),
        Revision = entry.Revision,
        OccurredAt = entry.OccurredAt,
        Host = entry.Host,
        Cause = entry.Cause,
        CommandId = entry.CommandId,
        Data = entry.Data.GetRawText(),
    };

    /// <summary>Logs an event that the control plane itself makes, and applies it to the inventory.</summary>
    public async Task<StorageEvent> RaiseAsync<T>(
        T data, string resource, long revision, string? host, EventCause cause, Guid? commandId, CancellationToken cancellationToken)
        where T : class
    {
        var entry = new StorageEvent(
            Guid.CreateVersion7(Now), data.GetType().Name, resource, revision, Now, host, cause, commandId, StorageJson.ToElement(data));
        await InventoryProjection.ApplyAsync(Inventory, entry, cancellationToken);
        Log(entry);
        return entry;
    }

    /// <summary>Sent after the commit. A crash in between is made good by the sweep.</summary>
    public void Send(string queue, OperationRun run) => messages.Add(new WorkerMessage(queue, run));

    /// <inheritdoc cref="Send(string, OperationRun)"/>
    public void Send(string queue, CancelRun cancel) => messages.Add(new WorkerMessage(queue, Cancel: cancel));

    /// <inheritdoc cref="Send(string, OperationRun)"/>
    public void Send(string queue, ExpireRun expire) => messages.Add(new WorkerMessage(queue, Expire: expire));

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        var grown = events.Count > 0 ? new LogGrowth(lastEvent, ended.Count > LogGrowth.NamedAtMost ? null : ended) : null;
        LedgerSteps.Pass(LedgerSteps.Committing);
        await writer.Dialect.CommitAsync(Db, transaction, events, released, grown, cancellationToken);
        LedgerSteps.Pass(LedgerSteps.Committed);
        writer.Committed(messages, grown);
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await Db.DisposeAsync();
        writer.Ended();
    }
}

/// <summary>Begins transactions and passes on what they leave to send.</summary>
public sealed class LedgerWriter(
    IDbContextFactory<LedgerDb> databases, LedgerDialect dialect, LedgerSignal signal, WorkerSender sender, KnownWorkers workers, TimeProvider clock)
    : IDisposable
{
    /// <summary>Writers of this process wait here and not, each with a connection, in the database.</summary>
    private readonly SemaphoreSlim turn = new(1);

    internal LedgerDialect Dialect => dialect;

    /// <inheritdoc cref="LedgerTransaction.ReadyLeft"/>
    internal bool ReadyLeft { get; set; }

    internal KnownWorkers Workers => workers;

    public Task<LedgerTransaction> BeginAsync(CancellationToken cancellationToken) => BeginAsync(new Wanted(), cancellationToken);

    /// <param name="wanted">What is going to be needed: it is read at once.</param>
    public async Task<LedgerTransaction> BeginAsync(Wanted wanted, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        LedgerDb? db = null;
        try
        {
            db = await databases.CreateDbContextAsync(cancellationToken);
            return await LedgerTransaction.BeginAsync(this, db, dialect, wanted, clock.GetUtcNow(), cancellationToken);
        }
        catch
        {
            if (db is not null)
                await db.DisposeAsync();
            turn.Release();
            throw;
        }
    }

    public void Dispose() => turn.Dispose();

    internal void Ended() => turn.Release();

    internal void Committed(IReadOnlyList<WorkerMessage> messages, LogGrowth? grown)
    {
        foreach (var message in messages)
            sender.Enqueue(message);
        if (grown is not null)
            signal.Pulse(grown);
    }
}

/// <summary>Revisions are microseconds since 1970, raised where needed: workers and ledger agree on them without talking.</summary>
public static class Revisions
{
    public static long At(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
