using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>
/// Executes one run from its start to its journalled and reported outcome, which has exactly one terminal event whatever the
/// backend and the storage do. A run that the stop of the process cuts off gets no outcome: it is resumed at the next start. What any
/// replica may do is executed while this worker holds it.
/// </summary>
public sealed class RunExecutor(
    RunJournal journal, Reporter reporter, HostEvents events, PoolBackends backends, PoolLanes lanes, SharedRuns shared, RunSecrets secrets,
    PoolWatcher watcher, PoolSpaces spaces, FillingVolumes filling, IReadOnlyList<string> backingStores, WorkerMetrics metrics, TimeProvider time, ILogger log,
    CancellationToken stopping)
{
    private static readonly ActivitySource Activities = new(ServiceTelemetry.Source, ServiceTelemetry.Version);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <returns>The run that goes on where this one was cut off, when it is held again; null where there is nothing more to do.</returns>
    public async Task<LiveRun?> ExecuteAsync(LiveRun live)
    {
        try
        {
            return (live.Operation.Shared || live.MayHaveEnded) && !await IsHeldAsync(live) ? null : await ExecuteHeldAsync(live);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // What is journalled is reported at the next start, what is not is run again.
            return null;
        }
        finally
        {
            shared.Release(live);
        }
    }

    /// <summary>Whether this worker is to run it. What another one has, or has ended, is forgotten without a word.</summary>
    private async Task<bool> IsHeldAsync(LiveRun live)
    {
        var operation = live.Operation;
        var hold = await shared.HoldAsync(live, stopping);
        if (hold.Decision is not HoldDecision.Granted)
        {
            WorkerLog.NotHeld(log, operation.Command, operation.OperationId, hold.Decision);
            await JournalAsync(() => journal.ForgetAsync(operation.OperationId));
            return false;
        }
        if (live.Outcome is null)
            return true;
        if (!hold.Resumed)
        {
            await reporter.ReportAsync(live.Outcome, stopping);
            return false;
        }
        // Whoever had it since may have left it half done: its end here is not its end.
        await JournalAsync(() => journal.ReopenAsync(operation.OperationId));
        return true;
    }

    private async Task<LiveRun?> ExecuteHeldAsync(LiveRun live)
    {
        var operation = live.Operation;
        using var activity = Activities.StartActivity($"run {operation.Command}", ActivityKind.Internal, operation.TraceParent);
        activity?.SetTag("storage.operation.id", operation.OperationId).SetTag("storage.pool", operation.Pool?.Name);
        WorkerLog.RunStarted(log, operation.Command, operation.OperationId, operation.Pool?.Name, live.Resumed);
        metrics.RunStarted(operation.Command);
        using var hold = watcher.Hold(operation);
        var began = time.GetTimestamp();
        var happened = await RunAsync(live);
        var took = time.GetElapsedTime(began);
        var end = happened?[^1].Type;
        metrics.RunEnded(operation.Command, end, took);
        if (happened is null)
        {
            WorkerLog.RunCutOff(log, operation.Command, operation.OperationId, operation.Pool?.Name);
            return live.Next();
        }
        if (end == nameof(OperationFailed))
            activity?.SetStatus(ActivityStatusCode.Error);
        WorkerLog.RunEnded(log, operation.Command, operation.OperationId, operation.Pool?.Name, took.TotalMilliseconds, end!);
        var outcome = new RunOutcome(operation.OperationId, happened);
        WorkerSteps.Pass(WorkerSteps.RunEnding);
        await JournalAsync(() => journal.EndAsync(outcome));
        await reporter.ReportAsync(outcome, stopping);
        spaces.Hear(operation.Pool, happened);
        filling.Hear(operation.Pool, happened);
        return null;
    }

    /// <returns>What became true, the terminal event last; null when the run was cut off.</returns>
    private async Task<IReadOnlyList<StorageEvent>?> RunAsync(LiveRun live)
    {
        var operation = live.Operation;
        if (live is { CancelRequested: true, Resumed: false })
            return [events.Create(operation, new OperationCancelled(operation.OperationId))];

        RunContext context;
        Exception? failure = null;
        await using (var progress = new RunProgress(
            value => reporter.TryReport(events.Create(operation, new OperationProgressed(operation.OperationId, value))), time))
        {
            Run run = null!;
            run = new Run(operation.OperationId, live.Resumed, token => BeginAsync(live, run.Plan, token), progress)
            {
                Plan = live.Plan,
                Checkpoint = plan => CheckpointAsync(operation, plan),
                IsCutOff = () => live.CutOff,
                HasEndedAsync = journal.HasEndedAsync,
                BackingPlaces = new BackingPlaces(operation.PoolDirectories ?? [], backingStores),
                Secrets = (secret, token) => secrets.ResolveAsync(operation.OperationId, secret, token),
            };
            context = new RunContext(live, run, events, reporter, backends, watcher, log);
            try
            {
                var handler = CommandHandlers.Require(operation.Command);
                if (await lanes.RunAsync(operation.Pool, token => handler.RunAsync(context, token), handler.Frees, live.Token,
                    operation.Shared ? () => shared.MayGoOn(live) : null) is { } unanswered)
                {
                    failure = new StorageException(unanswered);
                    handler.Unanswered(context, unanswered);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        }
        var happened = context.Close();
        if (failure is not null && live.CutOff)
            return null;
        // Made last, so that no progress has a higher revision.
        return [.. happened, End(live, context, failure)];
    }

    private StorageEvent End(LiveRun live, RunContext context, Exception? failure)
    {
        var operation = live.Operation;
        if (failure is null)
            return events.Create(operation, new OperationSucceeded(operation.OperationId, context.Result));
        if (failure is OperationCanceledException && live.CancelRequested)
            return events.Create(operation, new OperationCancelled(operation.OperationId));
        var error = RunErrors.Of(failure);
        if (RunErrors.Foreseen(failure))
            WorkerLog.RunFailed(log, operation.Command, operation.OperationId, operation.Pool?.Name, error.Code, error.Message);
        else
            WorkerLog.RunFailedUnexpectedly(log, failure, operation.Command, operation.OperationId, operation.Pool?.Name);
        return events.Create(operation, new OperationFailed(operation.OperationId, error));
    }

    private async Task BeginAsync(LiveRun live, string? plan, CancellationToken cancellationToken)
    {
        var operation = live.Operation;
        if (live.Begun)
            return;
        cancellationToken.ThrowIfCancellationRequested();
        if (operation.Shared && plan is not null && plan != live.Plan)
            await shared.KeepAsync(live, plan);
        LaneWork.Running?.BeginChange();
        if (!live.Resumed)
            await journal.BeginAsync(live.OperationId, plan);
        live.Begin(plan);
        // Journalling may have taken longer than this worker was to hold it.
        if (operation.Shared && !shared.MayGoOn(live))
            throw new OperationCanceledException("The run was cut off.");
    }

    /// <summary>
    /// Left out where the journal cannot be written: the run would go on from an earlier one. And of what any replica may run: another one
    /// may have begun again since, and what was true here be so no more.
    /// </summary>
    private async Task CheckpointAsync(OperationRun operation, string plan)
    {
        if (operation.Shared)
            return;
        try
        {
            await journal.CheckpointAsync(operation.OperationId, plan);
        }
        catch (Exception e)
        {
            WorkerLog.JournalFailed(log, e);
            metrics.JournalFailed();
        }
    }

    /// <summary>What was done on the host, or is not to be, must be journalled: a full disk is waited out.</summary>
    private async Task JournalAsync(Func<Task> write)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await write();
                return;
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                WorkerLog.JournalFailed(log, e);
                metrics.JournalFailed();
            }
            await Task.Delay(Backoff.Pause(attempt, LongestPause), stopping);
        }
    }
}
