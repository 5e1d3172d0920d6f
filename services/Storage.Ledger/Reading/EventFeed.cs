using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>Follows the event log: for streams of events, and for those who wait for an operation's end.</summary>
public sealed partial class EventFeed : BackgroundService
{
    private const int Page = 500;
    private const int FindsTogether = 256;

    /// <summary>How long a reader goes without looking, should no signal come.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>The events with which operations end.</summary>
    internal static readonly string[] Ends = [nameof(OperationSucceeded), nameof(OperationFailed), nameof(OperationCancelled), nameof(OperationExpired)];

    private readonly IDbContextFactory<LedgerDb> databases;
    private readonly LedgerDialect dialect;
    private readonly LedgerSignal signal;
    private readonly ILogger<EventFeed> logger;
    private readonly ConcurrentDictionary<Guid, Waiter> waiters = new();

    /// <summary>Somebody waits: a process in which nobody ever does reads nothing.</summary>
    private readonly TaskCompletionSource wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Every end from now on is told.</summary>
    private readonly TaskCompletionSource telling = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Many who wait ask with one query.</summary>
    private readonly GroupCommit<Guid, OperationRow> finds;

    public EventFeed(IDbContextFactory<LedgerDb> databases, LedgerDialect dialect, LedgerSignal signal, ILogger<EventFeed> logger)
    {
        (this.databases, this.dialect, this.signal, this.logger) = (databases, dialect, signal, logger);
        finds = new(FindAsync, FindsTogether);
    }

    /// <summary>The events after a sequence, first from the log and then as they come. Ends only by cancelling.</summary>
    public async IAsyncEnumerable<StorageEvent> ReadAsync(long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = signal.Next;
            var page = await PageAsync(after, Page, cancellationToken);
            foreach (var entry in page)
                yield return entry;
            if (page.Count > 0)
                after = page[^1].Sequence!.Value;
            if (page.Count < Page && signal.Last <= after)
                await WaitAsync(next, cancellationToken);
        }
    }

    /// <summary>Up to <paramref name="limit"/> events after a sequence.</summary>
    public async Task<IReadOnlyList<StorageEvent>> PageAsync(long after, int limit, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var rows = await db.Events.AsNoTracking().Where(row => row.Sequence > after).OrderBy(row => row.Sequence).Take(limit)
            .ToListAsync(cancellationToken);
        return [.. rows.Select(Read)];
    }

    /// <summary>The sequence of the newest event.</summary>
    public async Task<long> EndAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Events.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0;
    }

    /// <summary>Looks out for the end of an operation. Of one that is only going to be accepted, nothing is missed.</summary>
    public ExpectedEnd Expect(Guid operationId)
    {
        var told = telling.Task.IsCompletedSuccessfully;
        var waiter = waiters.AddOrUpdate(operationId, _ => new Waiter(), (_, existing) => existing.Join());
        wanted.TrySetResult();
        return new ExpectedEnd(this, operationId, waiter, told);
    }

    /// <summary>The operation as it is when it has ended, or when the time is up.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.OperationNotFound"/>.</exception>
    public async Task<OperationRow> WaitForEndAsync(Guid operationId, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var end = Expect(operationId);
        return await end.WaitAsync(known: null, atMost, cancellationToken);
    }

    /// <summary>The operation as it is now.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.OperationNotFound"/>.</exception>
    public Task<OperationRow> FindAsync(Guid operationId, CancellationToken cancellationToken) => finds.AddAsync(operationId, cancellationToken);

    public static StorageEvent Read(EventRow row) => new(
        row.EventId, row.Type, row.Resource, row.Revision, row.OccurredAt, row.Host, row.Cause, row.CommandId, JsonElement.Parse(row.Data), row.Sequence);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await finds.DisposeAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await Task.WhenAll(ListenAsync(stoppingToken), TellWaitersAsync(stoppingToken));

    /// <summary>Those who wait are told by the signal; what it has not said is found in the log.</summary>
    private async Task TellWaitersAsync(CancellationToken stoppingToken)
    {
        await wanted.Task.WaitAsync(stoppingToken);
        var unsaid = new SemaphoreSlim(0);
        signal.Ended += Tell;
        var after = await RetryAsync(() => EndAsync(stoppingToken), stoppingToken);
        telling.TrySetResult();
        while (true)
        {
            await unsaid.WaitAsync(LongestWait, stoppingToken);
            // What was heard of before looking was there to be seen.
            var heard = signal.Last;
            for (var full = !waiters.IsEmpty; full;)
            {
                var page = await RetryAsync(() => EndingsAsync(after, stoppingToken), stoppingToken);
                Tell([.. page.Select(ending => ending.CommandId).OfType<Guid>()]);
                (after, full) = (page.Count == 0 ? after : page[^1].Sequence, page.Count == Page);
            }
            after = Math.Max(after, heard);
        }

        void Tell(IReadOnlyList<Guid>? ended)
        {
            if (ended is null)
                unsaid.Release();
            foreach (var id in ended ?? [])
                if (waiters.TryGetValue(id, out var waiter))
                    waiter.End();
        }
    }

    /// <summary>Of the events after a sequence, those with which operations have ended.</summary>
    private async Task<List<Ending>> EndingsAsync(long after, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Events.Where(row => row.Sequence > after && Ends.Contains(row.Type)).OrderBy(row => row.Sequence).Take(Page)
            .Select(row => new Ending(row.Sequence, row.CommandId)).ToListAsync(cancellationToken);
    }

    private async Task ListenAsync(CancellationToken stoppingToken) => await RetryAsync(
        async () =>
        {
            await dialect.ListenAsync(signal, stoppingToken);
            return 0;
        },
        stoppingToken);

    private async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                FeedFailed(logger, e);
                await Task.Delay(LongestWait, stoppingToken);
            }
        }
    }

    private static Task WaitAsync(Task next, CancellationToken cancellationToken)
    {
        var waited = next.WaitAsync(LongestWait, cancellationToken);
        return WaitedAsync();

        async Task WaitedAsync()
        {
            await waited.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<IReadOnlyList<Outcome<OperationRow>>> FindAsync(IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            var distinct = ids.Distinct().ToList();
            var rows = await db.Operations.AsNoTracking().Where(row => distinct.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
            return [.. ids.Select(id => rows.TryGetValue(id, out var row)
                ? new Outcome<OperationRow>(row, null)
                : new StorageException(new StorageError(ErrorCodes.OperationNotFound, $"There is no operation {id}.", Resource: Resources.Operation(id))))];
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Of a database that does not answer, not one after the other waits once more.
            return [.. ids.Select(_ => new Outcome<OperationRow>(null, e))];
        }
    }

    [LoggerMessage(4004, LogLevel.Warning, "The event log cannot be followed; trying again.")]
    private static partial void FeedFailed(ILogger logger, Exception exception);

    private sealed record Ending(long Sequence, Guid? CommandId);

    /// <summary>Somebody who looks out for an operation's end, until it is disposed of.</summary>
    public sealed class ExpectedEnd : IDisposable
    {
        private readonly EventFeed feed;
        private readonly Guid operation;
        private readonly Waiter waiter;
        private readonly bool told;

        internal ExpectedEnd(EventFeed feed, Guid operation, Waiter waiter, bool told) =>
            (this.feed, this.operation, this.waiter, this.told) = (feed, operation, waiter, told);

        /// <inheritdoc cref="WaitForEndAsync"/>
        /// <param name="known">The operation as it was after the look-out began; null where it was not looked at.</param>
        public async Task<OperationRow> WaitAsync(OperationRow? known, TimeSpan atMost, CancellationToken cancellationToken)
        {
            if (known is { Ended: true })
                return known;
            if (known is null || !told)
            {
                await feed.telling.Task.WaitAsync(atMost, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                var found = await feed.finds.AddAsync(operation, cancellationToken);
                if (found.Ended)
                    return found;
            }
            await waiter.Ended.WaitAsync(atMost, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return await feed.finds.AddAsync(operation, cancellationToken);
        }

        public void Dispose()
        {
            if (waiter.Leave())
                feed.waiters.TryRemove(new(operation, waiter));
        }
    }

    /// <summary>Those who wait for one operation.</summary>
    internal sealed class Waiter
    {
        private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int count = 1;

        public Task Ended => ended.Task;

        public void End() => ended.TrySetResult();

        public Waiter Join()
        {
            Interlocked.Increment(ref count);
            return this;
        }

        public bool Leave() => Interlocked.Decrement(ref count) == 0;
    }
}
