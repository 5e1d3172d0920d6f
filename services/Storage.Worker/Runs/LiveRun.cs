using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A run that waits or is being executed in this process.</summary>
/// <param name="operation">What is to be run.</param>
/// <param name="resumed">An earlier process, or this one before it was cut off, had begun to change the host with it.</param>
/// <param name="stopping">The process stops: the run is cut off.</param>
public sealed class LiveRun(OperationRun operation, bool resumed, CancellationToken stopping) : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private bool started;
    private bool held = !operation.Shared;
    private volatile bool fenced;
    private bool begun;

    public OperationRun Operation { get; } = operation;

    public Guid OperationId => Operation.OperationId;

    public bool Resumed { get; private set; } = resumed;

    /// <summary>What it ended with already, where it was handed in again and another replica may have had it since.</summary>
    public RunOutcome? Outcome { get; init; }

    /// <summary>As <see cref="Run.Plan"/>: of the run that was cut off, or of this one since it has begun.</summary>
    public string? Plan { get; set; }

    /// <summary>It was sent so long ago that it may have ended here and been forgotten since: it is asked for before it is run.</summary>
    public bool MayHaveEnded { get; init; }

    /// <summary>Somebody cancelled the operation, which is not the stop of the process.</summary>
    public bool CancelRequested { get; private set; }

    /// <summary>It was stopped to go on later, and maybe elsewhere: what it began stays as it is.</summary>
    public bool CutOff => fenced || stopping.IsCancellationRequested;

    /// <summary>It was cut off because another replica may be given it.</summary>
    public bool Fenced => fenced;

    /// <summary>Ends what the run does, by a cancel, by the stop of the process or by <see cref="Fence"/>.</summary>
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
    /// the host, and it is the backend's way of ending a begun run that removes it. Of a run that is not held yet nobody knows that.
    /// </summary>
    public void Cancel()
    {
        lock (gate)
        {
            CancelRequested = true;
            if (!held || Resumed && !begun)
                return;
        }
        _ = cancellation.CancelAsync();
    }

    /// <summary>This worker may run it.</summary>
    public void Hold(RunHold hold)
    {
        lock (gate)
        {
            held = true;
            Resumed |= hold.Resumed;
            CancelRequested |= hold.Cancelled;
            // Of the replicas' plans, the one that all of them are given.
            Plan = hold.Plan ?? Plan;
        }
    }

    /// <summary>Cuts it off for good: <see cref="Next"/> goes on.</summary>
    public void Fence()
    {
        fenced = true;
        try
        {
            _ = cancellation.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    /// <summary>The same run, to go on with where this one was cut off.</summary>
    public LiveRun Next()
    {
        lock (gate)
            return new LiveRun(Operation, Resumed || begun, stopping) { CancelRequested = CancelRequested, Plan = Plan };
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

    /// <param name="plan">As it was journalled with the begin; a resumed run keeps the one it has.</param>
    public void Begin(string? plan)
    {
        lock (gate)
        {
            begun = true;
            if (!Resumed || Operation.Shared)
                Plan = plan;
            if (!CancelRequested)
                return;
        }
        _ = cancellation.CancelAsync();
    }

    public void Dispose() => cancellation.Dispose();
}
