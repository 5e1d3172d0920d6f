namespace Storage.Worker;

/// <summary>
/// A thread for work that may hang in the kernel. Whoever asks gets one at once, so that work never waits behind work that hangs. One
/// that has nothing to do is kept for a while for the next.
/// </summary>
internal sealed class LaneThread
{
    private static readonly TimeSpan KeepIdle = TimeSpan.FromSeconds(10);
    private static readonly Lock Gate = new();
    private static readonly List<LaneThread> Idle = [];

    private readonly object given = new();
    private Action? next;

    public static void Run(Action work)
    {
        var thread = TakeIdle() ?? Start();
        lock (thread.given)
        {
            thread.next = work;
            Monitor.Pulse(thread.given);
        }
    }

    private static LaneThread Start()
    {
        var started = new LaneThread();
        new Thread(started.RunAll) { IsBackground = true, Name = "storage lane" }.UnsafeStart();
        return started;
    }

    private static LaneThread? TakeIdle()
    {
        lock (Gate)
        {
            if (Idle.Count == 0)
                return null;
            var last = Idle[^1];
            Idle.RemoveAt(Idle.Count - 1);
            return last;
        }
    }

    private void RunAll()
    {
        while (true)
        {
            if (TakeNext() is { } work)
            {
                work();
                lock (Gate)
                    Idle.Add(this);
            }
            else if (LeaveIdle())
            {
                return;
            }
        }
    }

    private Action? TakeNext()
    {
        lock (given)
        {
            if (next is null)
                Monitor.Wait(given, KeepIdle);
            var work = next;
            next = null;
            return work;
        }
    }

    /// <summary>False where it is being given work.</summary>
    private bool LeaveIdle()
    {
        lock (Gate)
            return Idle.Remove(this);
    }
}
