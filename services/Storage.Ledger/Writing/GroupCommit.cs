using System.Threading.Channels;

namespace Storage.Ledger;

/// <summary>
/// Many callers, one transaction: what arrives while a batch is being written forms the next batch. Alone, an item is written at
/// once; under load the price of a commit is shared.
/// </summary>
/// <param name="write">
/// Writes a batch in one transaction and gives one outcome per item, in order. When it throws, nothing of the batch was written: the
/// items are then written one by one, so that one that cannot be written does not spoil the others.
/// </param>
public sealed class GroupCommit<TItem, TResult>(
    Func<IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<Outcome<TResult>>>> write, int limit) : IAsyncDisposable
{
    private readonly Channel<Pending> pending = Channel.CreateBounded<Pending>(new BoundedChannelOptions(4096) { SingleReader = true });
    private readonly CancellationTokenSource stop = new();
    private readonly Lock starting = new();
    private Task? loop;

    /// <summary>Null where nothing waits and nothing is being written.</summary>
    private TaskCompletionSource? busy;

    /// <exception cref="Exception">What the batch's writer said about this item, or the failure of its transaction.</exception>
    public async Task<TResult> AddAsync(TItem item, CancellationToken cancellationToken)
    {
        lock (starting)
            loop ??= Task.Run(() => RunAsync(stop.Token), CancellationToken.None);
        var entry = new Pending(item, new(TaskCreationOptions.RunContinuationsAsynchronously));
        await pending.Writer.WriteAsync(entry, cancellationToken);
        return await entry.Result.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends when nothing waits and nothing is being written; at once where that is so.</summary>
    public Task QuietAsync() => Volatile.Read(ref busy)?.Task ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        pending.Writer.TryComplete();
        await stop.CancelAsync();
        if (loop is not null)
            await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (pending.Reader.TryRead(out var left))
            left.Result.TrySetCanceled();
        stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var batch = new List<Pending>(limit);
        while (await NextAsync(cancellationToken))
        {
            while (batch.Count < limit && pending.Reader.TryRead(out var entry))
                batch.Add(entry);
            if (!await TryWriteAsync(batch, failAll: batch.Count == 1, cancellationToken))
                foreach (var entry in batch)
                    await TryWriteAsync([entry], failAll: true, cancellationToken);
            batch.Clear();
        }
    }

    private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        var next = pending.Reader.WaitToReadAsync(cancellationToken);
        if (!next.IsCompleted)
            Interlocked.Exchange(ref busy, null)?.TrySetResult();
        var more = await next;
        if (more)
            busy ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
        return more;
    }

    private async Task<bool> TryWriteAsync(IReadOnlyList<Pending> batch, bool failAll, CancellationToken cancellationToken)
    {
        try
        {
            var outcomes = await write([.. batch.Select(entry => entry.Item)], cancellationToken);
            foreach (var (entry, outcome) in batch.Zip(outcomes))
                outcome.ApplyTo(entry.Result);
            return true;
        }
        catch (Exception e)
        {
            if (failAll)
                foreach (var entry in batch)
                    entry.Result.TrySetException(e);
            return false;
        }
    }

    private sealed record Pending(TItem Item, TaskCompletionSource<TResult> Result);
}

/// <summary>A result, or why there is none.</summary>
public readonly record struct Outcome<T>(T? Value, Exception? Failure)
{
    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Exception failure) => new(default, failure);

    internal void ApplyTo(TaskCompletionSource<T> completion)
    {
        if (Failure is null)
            completion.TrySetResult(Value!);
        else
            completion.TrySetException(Failure);
    }
}
