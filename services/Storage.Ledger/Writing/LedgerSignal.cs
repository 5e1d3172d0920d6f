namespace Storage.Ledger;

/// <summary>Tells readers in this process that the event log has grown, how far, and which operations have ended.</summary>
public sealed class LedgerSignal
{
    private volatile TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long last;

    /// <summary>Some operations have ended; null where it is not known which.</summary>
    public event Action<IReadOnlyList<Guid>?>? Ended;

    /// <summary>Completes at the next <see cref="Pulse"/>. Take it before looking, so that nothing is missed between look and wait.</summary>
    public Task Next => next.Task;

    /// <summary>The sequence of the newest event of which this process has heard.</summary>
    public long Last => Interlocked.Read(ref last);

    public void Pulse(LogGrowth? grown = null)
    {
        for (var known = Last; grown is not null && known < grown.Event && Interlocked.CompareExchange(ref last, grown.Event, known) != known; known = Last)
        {
        }
        if (grown is not null && grown.Ended is not { Count: 0 })
            Ended?.Invoke(grown.Ended);
        Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
