namespace Storage.Ledger;

/// <summary>Tells readers in this process that the event log has grown, and how far.</summary>
public sealed class LedgerSignal
{
    private readonly Lock telling = new();
    private volatile TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LogEnd end;

    /// <summary>Completes at the next <see cref="Pulse"/>. Take it before looking, so that nothing is missed between look and wait.</summary>
    public Task Next => next.Task;

    /// <summary>How far the log goes, as far as this process has heard.</summary>
    public LogEnd End
    {
        get
        {
            lock (telling)
                return end;
        }
    }

    public void Pulse(LogEnd reached = default)
    {
        lock (telling)
            end = new LogEnd(Math.Max(end.Event, reached.Event), Math.Max(end.Ending, reached.Ending));
        Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
