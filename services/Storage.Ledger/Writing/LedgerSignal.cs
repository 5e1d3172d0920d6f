namespace Storage.Ledger;

/// <summary>Tells readers in this process that the event log has grown.</summary>
public sealed class LedgerSignal
{
    private volatile TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next <see cref="Pulse"/>. Take it before looking, so that nothing is missed between look and wait.</summary>
    public Task Next => next.Task;

    public void Pulse() =>
        Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
