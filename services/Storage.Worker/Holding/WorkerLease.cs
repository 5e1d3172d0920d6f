using Microsoft.Extensions.Logging;

namespace Storage.Worker;

/// <summary>
/// For how long this worker can be sure that it is not taken for lost, and so that nobody else was given what it holds: some time
/// after it made the last announcement that was taken, by the monotonic clock. What it holds is cut off when that has passed.
/// </summary>
public sealed class WorkerLease : IDisposable
{
    private readonly Lock gate = new();
    private readonly HashSet<LiveRun> held = [];
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly ITimer timer;
    private TimeSpan length;
    private long? renewed;

    public WorkerLease(TimeProvider time, ILogger log)
    {
        (this.time, this.log) = (time, log);
        timer = time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan Left => renewed is { } since ? length - time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>
    /// The inventory took an announcement. One that was made after the lease had ended begins another one: what was held in the first may have been
    /// given to somebody else in between, also where nobody here has noticed its end yet.
    /// </summary>
    /// <param name="made">The timestamp of when it was made: it may have been taken long before its answer came.</param>
    public void Renew(long made)
    {
        LiveRun[] cutOff = [];
        lock (gate)
        {
            if (renewed is { } since && time.GetElapsedTime(since, made) >= length)
            {
                cutOff = [.. held];
                held.Clear();
            }
            renewed = Math.Max(renewed ?? made, made);
        }
        CutOff(cutOff);
    }

    /// <summary>Holds a run until <see cref="Release"/> or the end of the lease; false where the lease has ended.</summary>
    /// <param name="lease">How long it is, as the inventory said with the hold.</param>
    public bool TryHold(LiveRun run, TimeSpan lease)
    {
        lock (gate)
        {
            length = lease;
            if (Left <= TimeSpan.Zero)
                return false;
            held.Add(run);
            Arm();
            return true;
        }
    }

    public void Release(LiveRun run)
    {
        lock (gate)
            held.Remove(run);
    }

    /// <summary>Whether it still holds; cuts off what is held where it does not. For a process that slept through the timer.</summary>
    public bool Check()
    {
        LiveRun[] cutOff;
        lock (gate)
        {
            if (Left > TimeSpan.Zero)
                return true;
            cutOff = [.. held];
            held.Clear();
        }
        CutOff(cutOff);
        return false;
    }

    public void Dispose() => timer.Dispose();

    private void CutOff(LiveRun[] runs)
    {
        foreach (var run in runs)
            run.Fence();
        if (runs.Length > 0)
            WorkerLog.LeaseEnded(log, length.TotalSeconds, runs.Length);
    }

    private void Watch()
    {
        if (!Check())
            return;
        lock (gate)
        {
            if (held.Count > 0)
                Arm();
        }
    }

    private void Arm()
    {
        var left = Left + TimeSpan.FromMilliseconds(1);
        timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
