using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Asks the inventory whether this worker may run an operation; ends with the answer, throws when there is none.</summary>
public delegate Task<RunHold> AskForHold(HoldRun question, CancellationToken cancellationToken);

/// <summary>
/// The runs that any replica may take: which of them this worker may do, and until when. And those that only it may do, where it does
/// not know whether it has done them.
/// </summary>
/// <param name="question">The question about an operation, with the plan that is to be kept.</param>
public sealed class SharedRuns(AskForHold ask, Func<Guid, string?, HoldRun> question, WorkerLease lease, RevisionClock clock, ILogger log)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Has the plan kept that a held run is about to begin, for the replica that may have to go on with it. A run that was given to another
    /// one meanwhile is cut off.
    /// </summary>
    /// <exception cref="OperationCanceledException">The run was cut off, or cancelled: it does not begin.</exception>
    public async Task KeepAsync(LiveRun run, string plan)
    {
        if ((await HoldAsync(run, run.Token, plan)).Decision is HoldDecision.Granted)
            return;
        run.Fence();
        throw new OperationCanceledException("The run was cut off.");
    }

    /// <summary>Asks until it is decided, however long the inventory is away. A granted run is held from then on.</summary>
    /// <param name="plan">As in <see cref="HoldRun"/>.</param>
    /// <returns>Granted, moved or ended.</returns>
    public async Task<RunHold> HoldAsync(LiveRun run, CancellationToken cancellationToken, string? plan = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var hold = await ask(question(run.OperationId, plan), cancellationToken);
                if (hold.Decision is HoldDecision.Moved or HoldDecision.Ended)
                    return hold;
                // Granted to one that is about to be taken for lost is not held. Nobody else is given what only this host may do.
                if (hold.Decision is HoldDecision.Granted
                    && (!run.Operation.Shared || lease.TryHold(run, TimeSpan.FromMilliseconds(hold.LeaseMilliseconds))))
                {
                    clock.Observe(hold.Revision);
                    run.Hold(hold);
                    return hold;
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                if (attempt == 0)
                    WorkerLog.HoldNotAnswered(log, e, run.OperationId);
            }
            await Task.Delay(Backoff.Pause(attempt, LongestPause), cancellationToken);
        }
    }

    public void Release(LiveRun run) => lease.Release(run);

    /// <summary>Whether a held run may do its next step. One that may not is cut off when this returns, whoever noticed it first.</summary>
    public bool MayGoOn(LiveRun run)
    {
        if (lease.Check() && !run.Fenced)
            return true;
        run.Fence();
        return false;
    }
}
