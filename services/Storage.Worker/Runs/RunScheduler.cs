namespace Storage.Worker;

/// <summary>
/// Executes runs: those of one pool side by side up to a limit and in the order in which they came, pools independently of one
/// another, so that a pool that hangs holds up no other. Runs without a pool share a lane of their own.
/// </summary>
/// <param name="execute">Executes a run; gives the one that goes on with it later, where it was cut off.</param>
public sealed class RunScheduler(int concurrentRunsPerPool, Func<LiveRun, Task<LiveRun?>> execute)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, LiveRun> live = [];
    private readonly Dictionary<Guid, Lane> lanes = [];
    private readonly HashSet<Guid> cancelledBeforeAdded = [];
    private readonly Dictionary<Guid, LiveRun> cameBack = [];
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int executing;
    private bool stopped;

    public int Executing => Volatile.Read(ref executing);

    /// <summary>
    /// Starts the run when its pool's lane has room, or when the same run, of which it turned out that another replica has it, has left.
    /// One that comes after the stop is passed over.
    /// </summary>
    public void Add(LiveRun run)
    {
        lock (gate)
        {
            if (stopped)
            {
                run.Dispose();
                return;
            }
            if (!live.TryAdd(run.OperationId, run))
            {
                if (!run.Operation.Shared || !cameBack.TryAdd(run.OperationId, run))
                    run.Dispose();
                return;
            }
            if (cancelledBeforeAdded.Remove(run.OperationId))
                run.Cancel();
            var pool = run.Operation.Pool?.Uuid ?? Guid.Empty;
            if (!lanes.TryGetValue(pool, out var lane))
                lanes.Add(pool, lane = new Lane(pool));
            lane.Waiting.Enqueue(run);
            if (run is { CancelRequested: true, Resumed: false })
                StartNow(run);
            else
                StartNext(lane);
        }
    }

    /// <summary>
    /// Cancels a journalled run: a waiting one is executed at once, out of its turn, to end as cancelled; one whose
    /// <see cref="Add"/> is under way is cancelled when it comes.
    /// </summary>
    public void Cancel(Guid operation)
    {
        lock (gate)
        {
            if (!live.TryGetValue(operation, out var run))
            {
                cancelledBeforeAdded.Add(operation);
                return;
            }
            run.Cancel();
            if (!run.Resumed)
                StartNow(run);
        }
    }

    /// <summary>Ends a waiting run as <see cref="Cancel"/> does; one that has started, here or in an earlier process, goes on.</summary>
    /// <param name="remember">One that is not here is ended when it comes.</param>
    /// <returns>False where the run is not here.</returns>
    public bool Expire(Guid operation, bool remember)
    {
        lock (gate)
        {
            if (!live.TryGetValue(operation, out var run))
            {
                if (remember)
                    cancelledBeforeAdded.Add(operation);
                return false;
            }
            if (!stopped && !run.Resumed && run.TryStart())
            {
                run.Cancel();
                Start(run, lane: null);
            }
            return true;
        }
    }

    /// <summary>Starts nothing more; ends when nothing is executed any more. Whoever stops cancels what is being executed.</summary>
    public Task StopAsync()
    {
        lock (gate)
        {
            stopped = true;
            if (executing == 0)
                idle.TrySetResult();
        }
        return idle.Task;
    }

    private void StartNext(Lane lane)
    {
        while (!stopped && lane.Executing < concurrentRunsPerPool && lane.Waiting.TryDequeue(out var run))
        {
            if (!run.TryStart())
                continue;
            lane.Executing++;
            Start(run, lane);
        }
        if (lane is { Executing: 0, Waiting.Count: 0 })
            lanes.Remove(lane.Pool);
    }

    private void StartNow(LiveRun run)
    {
        if (!stopped && run.TryStart())
            Start(run, lane: null);
    }

    private void Start(LiveRun run, Lane? lane)
    {
        executing++;
        _ = Task.Run(() => ExecuteAsync(run, lane));
    }

    private async Task ExecuteAsync(LiveRun run, Lane? lane)
    {
        LiveRun? next = null;
        try
        {
            next = await execute(run);
        }
        finally
        {
            lock (gate)
            {
                live.Remove(run.OperationId);
                if (run.CancelRequested)
                    next?.Cancel();
                run.Dispose();
                executing--;
                if (lane is not null)
                {
                    lane.Executing--;
                    StartNext(lane);
                }
                if (stopped && executing == 0)
                    idle.TrySetResult();
                if (next is not null)
                    Add(next);
                if (cameBack.Remove(run.OperationId, out var again))
                    Add(again);
            }
        }
    }

    private sealed class Lane(Guid pool)
    {
        public Guid Pool { get; } = pool;

        public Queue<LiveRun> Waiting { get; } = new();

        public int Executing { get; set; }
    }
}
