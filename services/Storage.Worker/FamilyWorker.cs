using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// The worker of one family on one host: takes runs, journals them, executes them and reports what became true. One process at a
/// time has its state folder; another one that is started stands by.
/// </summary>
/// <param name="family">The pool types it serves.</param>
/// <param name="options">Its options.</param>
/// <param name="backends">The backends of all families in the process; it takes its own.</param>
/// <param name="send">Sends a report to the inventory.</param>
/// <param name="ask">Asks the inventory for what any replica may run.</param>
/// <param name="askForSecret">Asks the store for the secrets that runs need.</param>
public sealed class FamilyWorker(
    PoolFamily family, WorkerOptions options, IEnumerable<IPoolBackend> backends, SendReport send, AskForHold ask, AskForSecret askForSecret,
    IMeterFactory meters, TimeProvider time, ILogger<FamilyWorker> log) : IAsyncDisposable
{
    private const int OutcomesPerRead = 500;
    private static readonly TimeSpan RunsGrace = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource stopping = new();
    private readonly PoolBackends backends = new(backends.Where(backend => PoolTypes.Of(backend.Type).Family == family));
    private StateFolder? folder;
    private Parts? parts;
    private Task background = Task.CompletedTask;
    private int disposed;

    public PoolFamily Family { get; } = family;

    public string Host { get; } = options.Host;

    /// <summary>New for every worker object, so for every start of the process.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <summary>It serves pools that any replica of it may serve.</summary>
    public bool TakesShared => backends.All.Any(backend => PoolTypes.Of(backend.Type).Scope is PoolScope.Cluster);

    /// <summary>It has its state folder and takes runs; before that it stands by.</summary>
    public bool Active => parts is not null;

    /// <summary>Waits for the state folder, then goes on with what an earlier process left in it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var path = options.FamilyFolder(Family);
        folder = await StateFolder.AcquireAsync(path, () => WorkerLog.Standby(log, Family, Host, path), cancellationToken);
        var tools = new StartedTools(folder.ToolsPath, log);
        await tools.EndLeftAsync(cancellationToken);
        var clock = new RevisionClock(time);
        var journal = new RunJournal(
            folder.JournalPath, new JournalOptions(options.PowerLossSafe, options.KeepRuns, options.KeepRunsFor), clock, time);
        var reporter = new Reporter(send, journal, events => new HostReport(Host, Family, Instance, events), log);
        var events = new HostEvents(Host, clock, time);
        var metrics = new WorkerMetrics(meters, Family);
        var lanes = new PoolLanes(options.LaneLimits, tools, time, log);
        var lease = new WorkerLease(time, log);
        var shared = new SharedRuns(ask, (operation, plan) => new HoldRun(operation, Family, Host, Instance, plan), lease, clock, log);
        var secrets = new RunSecrets(
            askForSecret, (operation, secret, key) => new ResolveSecret(operation, Family, Host, Instance, secret, key), log);
        var spaces = new PoolSpaces(backends, lanes, reporter, events, time, log, stopping.Token);
        var filling = new FillingVolumes(backends, lanes, reporter, events, time, log, stopping.Token);
        var watcher = new PoolWatcher(lanes, reporter, events, spaces, metrics, time, log, stopping.Token);
        var executor = new RunExecutor(journal, reporter, events, backends, lanes, shared, secrets, watcher, spaces, filling, options.BackingStores, metrics, time, log, stopping.Token);
        var scheduler = new RunScheduler(options.ConcurrentRunsPerPool, executor.ExecuteAsync);
        metrics.Observe(journal, scheduler, lanes, watcher);
        parts = new Parts(clock, journal, reporter, events, scheduler, lease, watcher);
        WorkerLog.Active(log, Family, Host, Instance, path);

        background = await GoOnAsync(parts);
    }

    /// <summary>
    /// Lets the inventory know of this worker, from now on. What is dispatched is sent to it as soon as it is known, so it takes
    /// messages before.
    /// </summary>
    public void Announce()
    {
        var active = RequireActive();
        var announcer = new Announcer(
            active.Reporter, active.Events, new PoolTypeProbe(backends, options.LaneLimits, time, log), Family, Instance,
            options.BackingStores, options.AnnounceInterval, active.Lease, time);
        background = Task.WhenAll(background, announcer.RunAsync(stopping.Token));
    }

    /// <summary>When it ends, all the runs are journalled: they will be executed and reported whatever happens to this process.</summary>
    public async Task AcceptAsync(RunOperations message)
    {
        var (clock, journal, reporter, _, scheduler, _, _) = RequireActive();
        foreach (var run in message.Runs)
            clock.Observe(run.Revision);
        foreach (var accepted in await journal.AcceptAsync(message.Runs))
        {
            var run = accepted.Run;
            switch (accepted.Standing)
            {
                case RunStanding.New:
                    scheduler.Add(new LiveRun(run, resumed: false, stopping.Token) { MayHaveEnded = accepted.MayHaveEnded });
                    break;
                case RunStanding.Cancelled:
                    var cancelled = new LiveRun(run, resumed: false, stopping.Token) { MayHaveEnded = accepted.MayHaveEnded };
                    cancelled.Cancel();
                    scheduler.Add(cancelled);
                    break;
                case RunStanding.Ended:
                    WorkerLog.Redelivered(log, run.OperationId, accepted.Standing);
                    if (run.Shared)
                    {
                        scheduler.Add(new LiveRun(run, resumed: false, stopping.Token) { Outcome = accepted.Outcome });
                        break;
                    }
                    await reporter.ReportAsync(accepted.Outcome!, stopping.Token);
                    break;
                default:
                    WorkerLog.Redelivered(log, run.OperationId, accepted.Standing);
                    break;
            }
        }
    }

    /// <summary>When it ends, the cancel is journalled, also that of a run which has not come yet.</summary>
    public async Task CancelAsync(CancelRun message)
    {
        var (_, journal, reporter, _, scheduler, _, _) = RequireActive();
        if (await journal.CancelAsync(message.OperationId) is { } outcome)
            await reporter.ReportAsync(outcome, stopping.Token);
        else
            scheduler.Cancel(message.OperationId);
    }

    /// <summary>Ends a run that waits, or has not come yet, as a cancel does. One that has started goes on.</summary>
    public async Task ExpireAsync(ExpireRun message)
    {
        var (_, journal, reporter, _, scheduler, _, _) = RequireActive();
        if (scheduler.Expire(message.OperationId, remember: false))
            return;
        if (await journal.CancelAsync(message.OperationId) is { } outcome)
            await reporter.ReportAsync(outcome, stopping.Token);
        else
            scheduler.Expire(message.OperationId, remember: true);
    }

    /// <summary>
    /// Cuts off what is being executed, reports what has ended and frees the state folder. A run that does not come back within
    /// the grace is abandoned with the journal left open: the end of the process closes both.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        if (parts is not { } active)
        {
            folder?.Dispose();
            stopping.Dispose();
            return;
        }
        WorkerLog.Stopping(log, Family, active.Scheduler.Executing);
        var ended = active.Scheduler.StopAsync();
        await stopping.CancelAsync();
        await background;
        try
        {
            await ended.WaitAsync(RunsGrace);
        }
        catch (TimeoutException)
        {
            WorkerLog.RunsAbandoned(log, RunsGrace.TotalSeconds);
        }
        active.Lease.Dispose();
        await active.Watcher.DisposeAsync();
        await active.Reporter.DisposeAsync();
        if (!ended.IsCompleted)
            return;
        await active.Journal.DisposeAsync();
        folder?.Dispose();
        stopping.Dispose();
    }

    private Parts RequireActive() => parts ?? throw new InvalidOperationException($"The {Family} worker stands by.");

    /// <summary>Hands the runs that have not ended to the scheduler, and ends with the task that reports the outcomes left over.</summary>
    private async Task<Task> GoOnAsync(Parts active)
    {
        var unended = await active.Journal.ReadUnendedAsync();
        WorkerLog.TakenFromJournal(log, unended.Count, active.Journal.Unreported);
        var leftOvers = ReportLeftOversAsync(active);
        foreach (var entry in unended)
        {
            if (entry.Run is null)
            {
                await EndUnreadableAsync(active, entry.OperationId);
                continue;
            }
            active.Clock.Observe(entry.Run.Revision);
            var run = new LiveRun(entry.Run, entry.Begun, stopping.Token) { Plan = entry.Plan, MayHaveEnded = entry.MayHaveEnded };
            if (entry.CancelRequested)
                run.Cancel();
            active.Scheduler.Add(run);
        }
        return leftOvers;
    }

    private async Task ReportLeftOversAsync(Parts active)
    {
        try
        {
            var after = 0L;
            while (await active.Journal.ReadLeftOversAsync(after, OutcomesPerRead) is { Count: > 0 } outcomes)
            {
                foreach (var (_, outcome) in outcomes)
                    await active.Reporter.ReportAsync(outcome, stopping.Token);
                after = outcomes[^1].Entry;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next start reports them.
        }
    }

    private async Task EndUnreadableAsync(Parts active, Guid operation)
    {
        var error = new StorageError(ErrorCodes.Internal, "The worker could not read its journal's entry of this operation.");
        var failed = active.Events.Create(Resources.Operation(operation), new OperationFailed(operation, error), EventCause.System, operation);
        var outcome = new RunOutcome(operation, [failed]);
        await active.Journal.EndAsync(outcome);
        await active.Reporter.ReportAsync(outcome, stopping.Token);
    }

    private sealed record Parts(
        RevisionClock Clock, RunJournal Journal, Reporter Reporter, HostEvents Events, RunScheduler Scheduler, WorkerLease Lease, PoolWatcher Watcher);
}
