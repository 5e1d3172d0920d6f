using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>
/// Executes one run from its start to its journalled and reported outcome, which has exactly one terminal event whatever the
/// backend and the storage do. A run that the stop of the process cuts off gets no outcome: it is resumed at the next start.
/// </summary>
public sealed class RunExecutor(
    RunJournal journal, Reporter reporter, HostEvents events, PoolBackends backends, PoolLanes lanes, WorkerMetrics metrics,
    TimeProvider time, ILogger log, CancellationToken stopping)
{
    private static readonly ActivitySource Activities = new(ServiceTelemetry.Source, ServiceTelemetry.Version);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    public async Task ExecuteAsync(LiveRun live)
    {
        var operation = live.Operation;
        using var activity = Activities.StartActivity($"run {operation.Command}", ActivityKind.Internal, operation.TraceParent);
        activity?.SetTag("storage.operation.id", operation.OperationId).SetTag("storage.pool", operation.Pool?.Name);
        WorkerLog.RunStarted(log, operation.Command, operation.OperationId, operation.Pool?.Name, live.Resumed);
        metrics.RunStarted(operation.Command);
        var began = time.GetTimestamp();
        try
        {
            var happened = await RunAsync(live);
            var took = time.GetElapsedTime(began);
            var end = happened?[^1].Type;
            metrics.RunEnded(operation.Command, end, took);
            if (happened is null)
            {
                WorkerLog.RunCutOff(log, operation.Command, operation.OperationId, operation.Pool?.Name);
                return;
            }
            if (end == nameof(OperationFailed))
                activity?.SetStatus(ActivityStatusCode.Error);
            WorkerLog.RunEnded(log, operation.Command, operation.OperationId, operation.Pool?.Name, took.TotalMilliseconds, end!);
            var outcome = new RunOutcome(operation.OperationId, happened);
            await EndAsync(outcome);
            await reporter.ReportAsync(outcome, stopping);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // What is journalled is reported at the next start, what is not is run again.
        }
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
            run = new Run(operation.OperationId, live.Resumed, token => BeginAsync(live, run.Plan, token), progress) { Plan = live.Plan };
            context = new RunContext(live, run, events, reporter, backends, log);
            try
            {
                var handler = CommandHandlers.Require(operation.Command);
                if (await lanes.RunAsync(operation.Pool, token => handler.RunAsync(context, token), handler.Frees, live.Token) is { } unanswered)
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
        if (live.Begun)
            return;
        cancellationToken.ThrowIfCancellationRequested();
        LaneWork.Running?.BeginChange();
        if (!live.Resumed)
            await journal.BeginAsync(live.OperationId, plan);
        live.Begin();
    }

    /// <summary>What was done on the host must be journalled: a full disk is waited out.</summary>
    private async Task EndAsync(RunOutcome outcome)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await journal.EndAsync(outcome);
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
