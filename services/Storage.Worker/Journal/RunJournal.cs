using System.Text.Json;
using System.Threading.Channels;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// What a worker has promised: every run it was handed, whether it has begun to change the host, and what it ended with. When one
/// of the methods returns, its entry survives kill -9 (and a loss of power, where so configured). Calls that come at the same time
/// share a transaction. A call that fails (disk full) has changed nothing and may be made again.
/// </summary>
public sealed class RunJournal : IAsyncDisposable
{
    private const int WritesPerTransaction = 512;
    private const int EndsPerPrune = 1000;

    private readonly JournalFile file;
    private readonly RevisionClock clock;
    private readonly JournalOptions options;
    private readonly Channel<Write> writes = Channel.CreateUnbounded<Write>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task writer;
    private readonly long lastEntryAtOpen;
    private long entries;
    private long unreported;
    private long commits;
    private long recorded;
    private int endsSincePrune;

    public RunJournal(string path, JournalOptions options, RevisionClock clock, TimeProvider time)
    {
        this.options = options;
        this.clock = clock;
        file = new JournalFile(path, options.PowerLossSafe, time);
        file.InTransaction(() => file.Prune(options.Keep, options.KeepFor));
        (entries, unreported, recorded, lastEntryAtOpen) = (file.Entries, file.Unreported, file.Revision, file.LastEntry);
        clock.Observe(recorded);
        SurvivesPowerLoss = file.WaitsForDisk;
        writer = Task.Run(WriteAsync);
    }

    /// <summary>Runs journalled, ended ones that are still kept included.</summary>
    public long Entries => Volatile.Read(ref entries);

    /// <summary>Ended runs whose outcome has not been reported.</summary>
    public long Unreported => Volatile.Read(ref unreported);

    /// <summary>What it has promised survives a loss of power too.</summary>
    public bool SurvivesPowerLoss { get; }

    /// <summary>Transactions written since it was opened.</summary>
    public long Commits => Volatile.Read(ref commits);

    /// <summary>No revision given after a restart is at or below this.</summary>
    public long RecordedRevision => Volatile.Read(ref recorded);

    public async Task<IReadOnlyList<RunAcceptance>> AcceptAsync(IReadOnlyList<OperationRun> runs)
    {
        var documents = runs.Select(run => JsonSerializer.Serialize(run, StorageJson.Options)).ToArray();
        var (accepted, forgotten) = await Submit(
            () => (runs.Select((run, i) => file.Accept(run.OperationId, documents[i])).ToArray(), file.Forgotten),
            written => entries += written.Item1.Count(run => IsNew(run.Standing)));
        return [.. runs.Zip(accepted, (run, known) => new RunAcceptance(
            run, known.Standing, known.Outcome is null ? null : ReadOutcome(run.OperationId, known.Outcome),
            IsNew(known.Standing) && run.Revision < forgotten))];
    }

    /// <summary>The run is about to change the host.</summary>
    /// <param name="plan">As <see cref="Run.Plan"/>.</param>
    public Task BeginAsync(Guid operation, string? plan = null) => Submit(() =>
    {
        file.Begin(operation, plan);
        return true;
    });

    /// <summary>Replaces the plan of a run that has begun and not ended.</summary>
    public Task CheckpointAsync(Guid operation, string plan) => Submit(() =>
    {
        file.Checkpoint(operation, plan);
        return true;
    });

    /// <summary>The first outcome of a run stays; another one is not taken.</summary>
    public Task EndAsync(RunOutcome outcome)
    {
        var document = JsonSerializer.Serialize(outcome.Events, StorageJson.Options);
        return Submit(() => file.End(outcome.OperationId, document), ended => unreported += ended ? 1 : 0, prune: true);
    }

    /// <summary>Forgets a run that has not ended and is not run here: when it comes again it is new.</summary>
    public Task ForgetAsync(Guid operation) => Submit(() => file.Forget(operation), forgotten => entries -= forgotten);

    /// <summary>An ended run goes on as one that was cut off: another replica may have had it since.</summary>
    public Task ReopenAsync(Guid operation) => Submit(() => file.Reopen(operation), wasUnreported => unreported -= wasUnreported);

    /// <summary>Remembers the cancel, also of a run that has not come yet.</summary>
    /// <returns>The outcome, where the run has ended already: nothing is remembered then.</returns>
    public async Task<RunOutcome?> CancelAsync(Guid operation) =>
        await Submit(() => file.Cancel(operation)) is { } outcome ? ReadOutcome(operation, outcome) : null;

    /// <summary>Whether the run was here and has ended.</summary>
    public Task<bool> HasEndedAsync(Guid operation) => Submit(() => file.HasEnded(operation));

    public Task MarkReportedAsync(IReadOnlyList<Guid> operations) =>
        Submit(() => operations.Sum(file.MarkReported), marked => unreported -= marked);

    /// <summary>Records the clock's highest revision, so that nothing above it is known to others before.</summary>
    public Task RecordRevisionAsync() => Submit(() => true);

    /// <summary>The runs of an earlier process that have not ended, in the order in which they came.</summary>
    public async Task<IReadOnlyList<UnendedRun>> ReadUnendedAsync()
    {
        var (unended, forgotten) = await Submit(() => (file.ReadUnended(), file.Forgotten));
        return [.. unended.Select(entry => entry with { MayHaveEnded = !entry.Begun && entry.Run?.Revision < forgotten })];
    }

    /// <summary>The next outcomes that an earlier process did not report.</summary>
    /// <param name="after">The entry of the last one read; 0 at first.</param>
    public async Task<IReadOnlyList<(long Entry, RunOutcome Outcome)>> ReadLeftOversAsync(long after, int limit)
    {
        var rows = await Submit(() => file.ReadUnreported(after, lastEntryAtOpen, limit));
        return [.. rows.Select(row => (row.Entry, ReadOutcome(row.OperationId, row.Outcome)))];
    }

    public async ValueTask DisposeAsync()
    {
        writes.Writer.TryComplete();
        await writer;
        file.Dispose();
    }

    private static bool IsNew(RunStanding standing) => standing is RunStanding.New or RunStanding.Cancelled;

    private static RunOutcome ReadOutcome(Guid operation, string json) =>
        new(operation, JsonSerializer.Deserialize<StorageEvent[]>(json, StorageJson.Options)!);

    private Task<T> Submit<T>(Func<T> work, Action<T>? committed = null, bool prune = false)
    {
        var write = new Write<T>(work, committed, prune);
        ObjectDisposedException.ThrowIf(!writes.Writer.TryWrite(write), this);
        return write.Result;
    }

    private async Task WriteAsync()
    {
        var group = new List<Write>(WritesPerTransaction);
        while (await writes.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < WritesPerTransaction && writes.Reader.TryRead(out var write))
                group.Add(write);
            Commit(group);
        }
    }

    private void Commit(List<Write> group)
    {
        try
        {
            var revision = clock.Last;
            endsSincePrune += group.Count(write => write.Prunes);
            var pruned = 0;
            WorkerSteps.Pass(WorkerSteps.JournalCommitting);
            file.InTransaction(() =>
            {
                foreach (var write in group)
                    write.Do();
                if (revision > recorded)
                    file.RecordRevision(revision);
                if (endsSincePrune >= EndsPerPrune)
                    pruned = file.Prune(options.Keep, options.KeepFor);
            });
            WorkerSteps.Pass(WorkerSteps.JournalCommitted);
            endsSincePrune = endsSincePrune >= EndsPerPrune ? 0 : endsSincePrune;
            entries -= pruned;
            recorded = Math.Max(recorded, revision);
            commits++;
        }
        catch (Exception e)
        {
            group.ForEach(write => write.Fail(e));
            return;
        }
        group.ForEach(write => write.Complete());
    }

    private abstract class Write(bool prunes)
    {
        public bool Prunes { get; } = prunes;

        public abstract void Do();

        public abstract void Complete();

        public abstract void Fail(Exception e);
    }

    private sealed class Write<T>(Func<T> work, Action<T>? committed, bool prunes) : Write(prunes)
    {
        private readonly TaskCompletionSource<T> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T value = default!;

        public Task<T> Result => result.Task;

        public override void Do() => value = work();

        public override void Complete()
        {
            committed?.Invoke(value);
            result.SetResult(value);
        }

        public override void Fail(Exception e) => result.SetException(e);
    }
}

/// <param name="PowerLossSafe">Waits for the disk at every transaction.</param>
/// <param name="Keep">Reported runs that are kept, to answer redeliveries.</param>
/// <param name="KeepFor">And for how long at most.</param>
public sealed record JournalOptions(bool PowerLossSafe, int Keep, TimeSpan KeepFor);
