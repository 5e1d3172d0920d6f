using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A run that waits or is being executed in this process.</summary>
/// <param name="operation">What is to be run.</param>
/// <param name="resumed">An earlier process had begun to change the host with it.</param>
/// <param name="stopping">The process stops: the run is cut off.</param>
public sealed class LiveRun(OperationRun operation, bool resumed, CancellationToken stopping) : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private bool started;
    private bool begun;

    public OperationRun Operation { get; } = operation;

    public Guid OperationId => Operation.OperationId;

    public bool Resumed { get; } = resumed;

    /// <summary>As <see cref="Run.Plan"/>, of the run that was cut off.</summary>
    public string? Plan { get; init; }

    /// <summary>Somebody cancelled the operation, which is not the stop of the process.</summary>
    public bool CancelRequested { get; private set; }

    public bool CutOff => stopping.IsCancellationRequested;

    /// <summary>Ends what the run does, by a cancel or by the stop of the process.</summary>
    public CancellationToken Token => cancellation.Token;

    /// <summary>True for the one caller that may execute it.</summary>
    public bool TryStart()
    {
        lock (gate)
        {
            var first = !started;
            started = true;
            return first;
        }
    }

    /// <summary>
    /// Ends the run early. A resumed run is cancelled as soon as it has begun again and not before: what was cut off is still on
    /// the host, and it is the backend's way of ending a begun run that removes it.
    /// </summary>
    public void Cancel()
    {
        lock (gate)
        {
            CancelRequested = true;
            if (Resumed && !begun)
                return;
        }
        _ = cancellation.CancelAsync();
    }

    /// <summary>The host is being changed.</summary>
    public bool Begun
    {
        get
        {
            lock (gate)
                return begun;
        }
    }

    public void Begin()
    {
        lock (gate)
        {
            begun = true;
            if (!CancelRequested)
                return;
        }
        _ = cancellation.CancelAsync();
    }

    public void Dispose() => cancellation.Dispose();
}
