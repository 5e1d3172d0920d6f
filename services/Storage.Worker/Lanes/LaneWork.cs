using System.Collections.Concurrent;
using System.Globalization;
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
    private readonly BlockingCollection<(SendOrPostCallback Call, object? State)> steps = [];
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ExecutionContext? caller = ExecutionContext.Capture();
    private readonly ConcurrentBag<Task> held = [];
    private volatile int thread;
    private volatile bool stepping;

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

    /// <summary>
    /// Another one each time as long as its thread does anything, by the kernel's own account; the same one while it sleeps in one
    /// call. Null while the work awaits something and uses no thread. Who waits for an NFS server that is gone wakes up each second, to
    /// try again: hardly any time of the processor within one and the same call is no life.
    /// </summary>
    public string? SignOfLife()
    {
        if (!stepping || thread == 0)
            return null;
        var account = string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{thread}");
        try
        {
            var status = ProcessStatus.Parse(File.ReadAllText($"{account}/stat"));
            // Running, or only waiting for a processor.
            return status.State == 'R' ? null : $"{status.Ticks} {SystemCall(account)}";
        }
        catch (IOException)
        {
            // Such a kernel shows only the time that has passed.
            return "";
        }
    }

    /// <summary>Its number, arguments and place (proc(5)); nothing where the kernel does not tell.</summary>
    private static string SystemCall(string account)
    {
        try
        {
            return File.ReadAllText($"{account}/syscall");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Runs all of it on the calling thread.</summary>
    public void Run()
    {
        thread = LibC.ThreadId();
        SetSynchronizationContext(this);
        stepping = true;
        Task? work = null;
        if (caller is null)
            work = StartAsync();
        else
            ExecutionContext.Run(caller, _ => work = StartAsync(), null);
        work!.ContinueWith(_ => steps.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (Next() is { } step)
            step.Call(step.State);
        stepping = false;
        SetSynchronizationContext(null);
        ended.SetFromTask(work);
        stop.Dispose();
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            steps.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // What is still on its way when the work has ended is none of its steps.
            base.Post(d, state);
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
        stepping = false;
        if (!steps.TryTake(out var step, Timeout.Infinite))
            return null;
        stepping = true;
        StopUnlessItMayGoOn();
        return step;
    }
}
