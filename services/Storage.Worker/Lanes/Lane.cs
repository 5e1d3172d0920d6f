using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <param name="Answer">A call of which nothing is seen for so long hangs.</param>
/// <param name="Hung">With so many calls that hang, a lane takes no more.</param>
public sealed record LaneLimits(TimeSpan Answer, int Hung)
{
    /// <summary>What is cancelled and gives no sign for so long is left alone.</summary>
    public TimeSpan Cancelled { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Threads of one piece of work that read side by side, its own included; the others are shared by the pieces in a lane.</summary>
    public int Readers { get; init; } = 1;
}

/// <summary>
/// The way of one pool's work to its storage: each piece has a thread of its own, and nobody waits for one that hangs. Work that is
/// abandoned is told to stop; when it comes back it undoes what it did, on its own thread.
/// </summary>
/// <param name="storage">What does not answer, for people.</param>
internal sealed class Lane(string storage, LaneLimits limits, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly HashSet<LaneWork> hung = [];
    private int unfinished;
    private int readers;

    public int Hung
    {
        get
        {
            lock (gate)
                return hung.Count;
        }
    }

    /// <summary>Nothing runs or hangs in it.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (gate)
                return unfinished == 0;
        }
    }

    /// <summary>Where the tools that run in it are noted; null where they change nothing and nobody would miss them.</summary>
    public StartedTools? Tools { get; init; }

    /// <summary>Called when work or what it left behind has ended.</summary>
    public Action Left { get; init; } = () => { };

    /// <summary>
    /// Runs the work to its end, for however long it shows signs of life. Long work is never judged by the time that it takes.
    /// </summary>
    /// <param name="frees">It may be what makes the storage answer again: there is room for one more of these.</param>
    /// <param name="mayGoOn">Asked before each step: the work is told to stop where the answer is no.</param>
    /// <returns>
    /// Null when the work has ended; what it throws is thrown. Else <see cref="ErrorCodes.Timeout"/>, retryable: it hangs and goes on
    /// alone, or was not begun because too much hangs.
    /// </returns>
    /// <exception cref="OperationCanceledException">Cancelled; where the work hangs it goes on alone.</exception>
    public async Task<StorageError?> RunAsync(
        Func<CancellationToken, Task> start, bool frees, CancellationToken cancellationToken, Func<bool>? mayGoOn = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (hung.Count >= limits.Hung + (frees ? 1 : 0))
                return Unanswered($"{hung.Count} earlier calls still hang");
            unfinished++;
        }
        var work = new LaneWork(this, start, frees, CancellationTokenSource.CreateLinkedTokenSource(cancellationToken), mayGoOn);
        LaneThread.Run(work.Run);
        _ = LeaveAsync(work);
        if (await AnswersAsync(work, cancellationToken))
        {
            await work.Ended;
            return null;
        }
        work.Stop();
        cancellationToken.ThrowIfCancellationRequested();
        return Unanswered($"nothing came back for {limits.Answer.TotalSeconds:0.#} s");
    }

    public void RequireNoHungChange()
    {
        lock (gate)
        {
            if (hung.Any(work => work.Changes))
                throw new StorageException(Unanswered("an earlier change still hangs"));
        }
    }

    /// <summary>Room for one more thread that reads beside work: also those that hang have theirs, so that all that hangs is bounded.</summary>
    public bool TryTakeReader()
    {
        lock (gate)
        {
            if (readers >= limits.Readers - 1)
                return false;
            readers++;
            return true;
        }
    }

    public void ReturnReader()
    {
        lock (gate)
            readers--;
    }

    /// <returns>False when it hangs and is counted so; it is only waited for as long as it does not.</returns>
    private async Task<bool> AnswersAsync(LaneWork work, CancellationToken cancelled)
    {
        using var timer = new PeriodicTimer(limits.Answer / 8 < LongestPeriod ? limits.Answer / 8 : LongestPeriod, time);
        while (await Task.WhenAny(work.Ended, timer.WaitForNextTickAsync(CancellationToken.None).AsTask()) != work.Ended)
        {
            var silence = work.Silence(time);
            if (silence >= limits.Answer || cancelled.IsCancellationRequested && silence >= limits.Cancelled)
                return !TryAbandon(work, silence);
        }
        return true;
    }

    private bool TryAbandon(LaneWork work, TimeSpan silence)
    {
        lock (gate)
        {
            if (work.Ended.IsCompleted)
                return false;
            hung.Add(work);
        }
        WorkerLog.Hangs(log, storage, silence.TotalSeconds);
        return true;
    }

    /// <summary>Waits for the end of the work, however late, and for what it left behind.</summary>
    private async Task LeaveAsync(LaneWork work)
    {
        var started = time.GetTimestamp();
        await work.Ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (work.Held is { IsCompleted: false } held)
        {
            lock (gate)
                hung.Add(work);
            await held.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        bool late;
        lock (gate)
        {
            late = hung.Remove(work);
            unfinished--;
        }
        if (late)
            WorkerLog.CameBack(log, work.Ended.Exception?.InnerException, storage, time.GetElapsedTime(started).TotalSeconds);
        Left();
    }

    private StorageError Unanswered(string reason) =>
        new(ErrorCodes.Timeout, $"The storage at {storage} does not answer: {reason}.", Retryable: true);
}
