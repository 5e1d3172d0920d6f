using System.Collections.Concurrent;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Asynchronous work of which every step between two awaits runs on one thread of its own: code that calls the file system is
/// written as any other, and where a call hangs nobody else's thread is gone.
/// </summary>
/// <param name="lane">Where it runs.</param>
/// <param name="start">The work. Its awaits must come back to where they were called: no <c>ConfigureAwait(false)</c> in it.</param>
/// <param name="frees">It may be what makes the storage answer again.</param>
/// <param name="stop">Ends the work; owned by it.</param>
/// <param name="mayGoOn">Whether it may do its next step.</param>
internal sealed class LaneWork(
    Lane lane, Func<CancellationToken, Task> start, bool frees, CancellationTokenSource stop, Func<bool>? mayGoOn = null) : SynchronizationContext
{
    // A blocking collection would spin before it waits, and every wait for the journal would cost more than the work.
    private readonly Queue<(SendOrPostCallback Call, object? State)> steps = [];
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ExecutionContext? caller = ExecutionContext.Capture();
    private readonly ConcurrentBag<Task> held = [];
    private readonly ThreadLife life = new();
    private readonly HashSet<ThreadLife> beside = [];
    private int thread;
    private bool complete;

    /// <summary>The work that the caller is a step of.</summary>
    public static LaneWork? Running => Current as LaneWork;

    /// <summary>Where the tools that it runs are noted.</summary>
    public StartedTools? Tools => lane.Tools;

    /// <summary>Ends as the work does, also when nobody waits for it any more.</summary>
    public Task Ended => ended.Task;

    /// <summary>It has begun to change the storage.</summary>
    public bool Changes { get; private set; }

    /// <summary>What the work left behind that still hangs, though it has itself ended.</summary>
    public Task Held => Task.WhenAll(held);

    /// <summary>Called before the first step that changes the storage.</summary>
    /// <exception cref="StorageException">An abandoned change may still happen: nothing else is changed before it has.</exception>
    public void BeginChange()
    {
        if (!frees)
            lane.RequireNoHungChange();
        Changes = true;
    }

    /// <summary>The lane counts the work as hung until this has ended too: a tool that cannot be killed.</summary>
    public void Hold(Task until) => held.Add(until);

    /// <summary>Tells the work to end.</summary>
    public void Stop()
    {
        try
        {
            _ = stop.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    /// <summary>For how long nothing has been seen of it, or of what runs beside it, whatever is silent for longest.</summary>
    public TimeSpan Silence(TimeProvider time)
    {
        var longest = life.Silence(time);
        lock (beside)
        {
            foreach (var other in beside)
            {
                if (other.Silence(time) is var silence && silence > longest)
                    longest = silence;
            }
        }
        return longest;
    }

    /// <summary>
    /// Does a part of this work on another thread, which is watched as its own is. The work waits for it before it ends. For calls to the
    /// storage that change nothing.
    /// </summary>
    /// <returns>Null where all readers of the lane are taken, by others or by calls that hang; else it ends, and fails, as the part does.</returns>
    public Task? TryReadBeside(Action part)
    {
        if (!lane.TryTakeReader())
            return null;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LaneThread.Run(() =>
        {
            var other = new ThreadLife();
            other.Use(LibC.ThreadId());
            lock (beside)
                beside.Add(other);
            Exception? failure = null;
            try
            {
                part();
            }
            catch (Exception e)
            {
                failure = e;
            }
            lock (beside)
                beside.Remove(other);
            lane.ReturnReader();
            if (failure is null)
                done.SetResult();
            else
                done.SetException(failure);
        });
        return done.Task;
    }

    /// <summary>Runs all of it on the calling thread.</summary>
    public void Run()
    {
        thread = LibC.ThreadId();
        SetSynchronizationContext(this);
        life.Use(thread);
        Task? work = null;
        if (caller is null)
            work = StartAsync();
        else
            ExecutionContext.Run(caller, _ => work = StartAsync(), null);
        work!.ContinueWith(_ => Complete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (Next() is { } step)
            step.Call(step.State);
        life.Leave();
        SetSynchronizationContext(null);
        ended.SetFromTask(work);
        stop.Dispose();
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (steps)
        {
            if (!complete)
            {
                steps.Enqueue((d, state));
                Monitor.Pulse(steps);
                return;
            }
        }
        // What is still on its way when the work has ended is none of its steps.
        base.Post(d, state);
    }

    private void Complete()
    {
        lock (steps)
        {
            complete = true;
            Monitor.Pulse(steps);
        }
    }

    private async Task StartAsync()
    {
        StopUnlessItMayGoOn();
        await start(stop.Token);
    }

    /// <summary>A process that slept wakes up with steps that are due: they see that their time is over before they do anything.</summary>
    private void StopUnlessItMayGoOn()
    {
        if (mayGoOn is not null && !mayGoOn())
            Stop();
    }

    private (SendOrPostCallback Call, object? State)? Next()
    {
        life.Leave();
        (SendOrPostCallback, object?) step;
        lock (steps)
        {
            while (!steps.TryDequeue(out step))
            {
                if (complete)
                    return null;
                Monitor.Wait(steps);
            }
        }
        life.Use(thread);
        StopUnlessItMayGoOn();
        return step;
    }
}
