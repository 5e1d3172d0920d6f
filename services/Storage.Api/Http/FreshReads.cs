using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>
/// Reads that must not be older than the client says (<see cref="MaxAge"/>): what is older is looked at on its host first. Those who ask at
/// the same time wait for the same look.
/// </summary>
public sealed class FreshReads(
    CommandIntake intake, EventFeed feed, IDbContextFactory<LedgerDb> ledger, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    /// <summary>How long an answer waits for the look, unless the client says otherwise (<c>Prefer: wait</c>).</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Turn> turns = new(StringComparer.Ordinal);

    /// <summary>Looks at a pool with all its volumes, unless it was seen recently enough for the client.</summary>
    /// <returns>Whether it was looked at: what is known is to be read anew.</returns>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.Timeout"/>, retryable: the look takes longer; it goes on. Else what it was refused or failed with.
    /// </exception>
    public Task<bool> PoolAsync(HttpContext http, PoolRow pool) => EnsureAsync(http, pool.Id, pool.ObservedAt);

    /// <summary>Looks at a volume, or where it is not known at its pool, unless that was seen recently enough for the client.</summary>
    /// <returns>As of <see cref="PoolAsync"/>.</returns>
    /// <exception cref="StorageException">As of <see cref="PoolAsync"/>.</exception>
    public Task<bool> VolumeAsync(HttpContext http, FoundVolume found) => found.Volume is null
        ? EnsureAsync(http, found.Pool, found.PoolObservedAt)
        : EnsureAsync(
            http, found.SeenAt, () => (Resources.Volume(found.Pool, found.Volume.Name), new RefreshVolume(null, found.Pool.ToString(), found.Volume.Name)));

    /// <summary>Says in the answer how old it is: <c>Age</c>, in seconds; nothing where it was never seen.</summary>
    public void TellAge(HttpContext http, DateTimeOffset? seenAt)
    {
        if (seenAt is { } seen)
            http.Response.Headers.Age = Math.Max(0, (long)(clock.GetUtcNow() - seen).TotalSeconds).ToString(CultureInfo.InvariantCulture);
    }

    private Task<bool> EnsureAsync(HttpContext http, Guid pool, DateTimeOffset? seenAt) =>
        EnsureAsync(http, seenAt, () => (Resources.Pool(pool), new RefreshPool(null, pool.ToString())));

    private async Task<bool> EnsureAsync(HttpContext http, DateTimeOffset? seenAt, Func<(string Resource, ICommand Command)> look)
    {
        if (MaxAge.Read(http.Request.Headers) is not { } age)
            return false;
        var arrived = clock.GetUtcNow();
        if (seenAt >= arrived - age)
            return false;
        var (resource, command) = look();
        var operation = await LookAsync(resource, command, arrived - age, http.RequestAborted);
        var ended = operation.Ended ? operation : await WaitAsync(operation, WaitPreference.Read(http.Request.Headers["Prefer"]) ?? Patience, http.RequestAborted);
        if (!ended.Ended)
            throw new StorageException(new StorageError(
                ErrorCodes.Timeout, "Looking at it takes longer than the answer can wait. The look goes on.", Retryable: true, Resource: Resources.Operation(ended.Id)));
        return ended.State is OperationState.Succeeded ? true : throw new StorageException(OperationView.ErrorOf(ended));
    }

    /// <summary>The look of somebody else that is late enough, or a new one.</summary>
    private async Task<OperationRow> LookAsync(string resource, ICommand look, DateTimeOffset notBefore, CancellationToken cancellationToken)
    {
        var command = look.GetType().Name;
        var turn = turns.AddOrUpdate(resource, _ => new Turn(), (_, existing) => existing.Join());
        try
        {
            await turn.Lock.WaitAsync(cancellationToken);
            try
            {
                await using var db = await ledger.CreateDbContextAsync(cancellationToken);
                // The states come first: only by these, what has ended is not looked at.
                return await db.Operations.AsNoTracking()
                        .Where(row => row.Resource == resource && row.Command == command
                            && (row.State == OperationState.Queued || row.State == OperationState.Dispatched || row.State == OperationState.Running)
                            && (row.State == OperationState.Queued || row.AcceptedAt >= notBefore))
                        .OrderBy(row => row.Sequence).FirstOrDefaultAsync(cancellationToken)
                    ?? await intake.AcceptAsync(look, Activity.Current?.Id, cancellationToken);
            }
            finally
            {
                turn.Lock.Release();
            }
        }
        finally
        {
            if (turn.Leave())
                turns.TryRemove(new(resource, turn));
        }
    }

    private async Task<OperationRow> WaitAsync(OperationRow operation, TimeSpan atMost, CancellationToken aborted)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted, lifetime.ApplicationStopping);
        try
        {
            return await feed.WaitForEndAsync(operation.Id, atMost, stop.Token);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            // The service stops: the look goes on without it.
            return operation;
        }
    }

    /// <summary>Those who look for one resource's look, one after the other.</summary>
    private sealed class Turn
    {
        private int count = 1;

        /// <summary>Without a handle of the system: needs no disposal.</summary>
        public SemaphoreSlim Lock { get; } = new(1);

        public Turn Join()
        {
            Interlocked.Increment(ref count);
            return this;
        }

        public bool Leave() => Interlocked.Decrement(ref count) == 0;
    }
}
