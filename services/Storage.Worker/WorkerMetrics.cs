using System.Diagnostics.Metrics;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>The figures of one family's worker.</summary>
public sealed class WorkerMetrics
{
    private readonly KeyValuePair<string, object?> family;
    private readonly Meter meter;
    private readonly Counter<long> started;
    private readonly Counter<long> ended;
    private readonly Histogram<double> duration;
    private readonly Counter<long> journalFailures;
    private readonly Counter<long> watchEvents;
    private readonly Counter<long> watchOverflows;

    public WorkerMetrics(IMeterFactory meters, PoolFamily family)
    {
        this.family = new("storage.family", family.ToString().ToLowerInvariant());
        meter = meters.Create(ServiceTelemetry.Source);
        started = meter.CreateCounter<long>("storage.worker.runs.started", "{run}", "Runs started.");
        ended = meter.CreateCounter<long>("storage.worker.runs.ended", "{run}", "Runs ended, by their terminal event.");
        duration = meter.CreateHistogram<double>("storage.worker.run.duration", "s", "From the start of a run to its end.");
        journalFailures = meter.CreateCounter<long>("storage.worker.journal.failures", "{write}", "Outcomes that could not be journalled at once.");
        watchEvents = meter.CreateCounter<long>("storage.worker.watch.events", "{event}", "Events of the kernel about watched directories.");
        watchOverflows = meter.CreateCounter<long>("storage.worker.watch.overflows", "{overflow}", "Times that the kernel had more of them than it keeps.");
    }

    public void RunStarted(string command) => started.Add(1, family, new("storage.command", command));

    /// <param name="end">The name of the terminal event; null when it was cut off.</param>
    public void RunEnded(string command, string? end, TimeSpan took)
    {
        KeyValuePair<string, object?> which = new("storage.command", command), how = new("storage.outcome", end ?? "CutOff");
        ended.Add(1, family, which, how);
        duration.Record(took.TotalSeconds, family, which, how);
    }

    public void JournalFailed() => journalFailures.Add(1, family);

    public void WatchHeard() => watchEvents.Add(1, family);

    public void WatchOverflowed() => watchOverflows.Add(1, family);

    /// <summary>Shows how full the journal is, how far behind the reports are, what hangs and what is watched.</summary>
    public void Observe(RunJournal journal, RunScheduler scheduler, PoolLanes lanes, PoolWatcher watcher)
    {
        meter.CreateObservableGauge("storage.worker.journal.runs", () => new Measurement<long>(journal.Entries, family), "{run}", "Runs in the journal.");
        meter.CreateObservableGauge("storage.worker.journal.unreported", () => new Measurement<long>(journal.Unreported, family), "{run}", "Outcomes not yet reported.");
        meter.CreateObservableGauge("storage.worker.runs.executing", () => new Measurement<long>(scheduler.Executing, family), "{run}", "Runs being executed.");
        meter.CreateObservableGauge("storage.worker.calls.hung", () => new Measurement<long>(lanes.Hung, family), "{call}", "Abandoned calls that the storage has not answered.");
        meter.CreateObservableGauge("storage.worker.pools.watched", () => new Measurement<long>(watcher.Watched, family), "{pool}", "Pools whose directories are watched.");
    }
}
