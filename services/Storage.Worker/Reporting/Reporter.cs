using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Sends the events of one worker to the inventory, in the order in which they are handed in, and goes on trying for as long as it
/// takes. Parts of a refresh need no order among each other: the next is on its way while the inventory takes one in. Memory is bounded: who
/// hands in more waits.
/// </summary>
public sealed class Reporter : IAsyncDisposable
{
    public const int EventsPerReport = 500;
    public const int BytesPerReport = 256 * 1024;

    private const int Waiting = 256;
    private const int PartsTogether = 2;
    private const int BytesPerEnvelope = 512;
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Channel<Entry> entries = Channel.CreateBounded<Entry>(new BoundedChannelOptions(Waiting) { SingleReader = true });
    private readonly CancellationTokenSource stopped = new();
    private readonly SendReport send;
    private readonly RunJournal journal;
    private readonly Func<IReadOnlyList<StorageEvent>, HostReport> report;
    private readonly ILogger log;
    private readonly List<Task> parts = new(PartsTogether);
    private readonly Task loop;

    public Reporter(SendReport send, RunJournal journal, Func<IReadOnlyList<StorageEvent>, HostReport> report, ILogger log)
    {
        this.send = send;
        this.journal = journal;
        this.report = report;
        this.log = log;
        loop = Task.Run(RunAsync);
    }

    /// <summary>Ends when the inventory has the event.</summary>
    /// <returns>What the inventory answered to the report that the event was in.</returns>
    public Task<ReportTaken> ReportAsync(StorageEvent what, CancellationToken cancellationToken) => ReportAsync(what, isPart: false, cancellationToken);

    /// <summary>As <see cref="ReportAsync(StorageEvent, CancellationToken)"/>, for what other parts handed in before may come after.</summary>
    public Task<ReportTaken> ReportPartAsync(StorageEvent what, CancellationToken cancellationToken) => ReportAsync(what, isPart: true, cancellationToken);

    /// <summary>Hands in an event that may be lost; false where too many wait already.</summary>
    public bool TryReport(StorageEvent what) => entries.Writer.TryWrite(new Entry([what]));

    /// <summary>Hands in the outcome of a run, which is marked in the journal once the inventory has it.</summary>
    public async Task ReportAsync(RunOutcome outcome, CancellationToken cancellationToken) =>
        await entries.Writer.WriteAsync(new Entry(outcome.Events, outcome.OperationId), cancellationToken);

    /// <summary>How long the end waits for the inventory.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Sends what was handed in, as far as that succeeds within <see cref="Grace"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        entries.Writer.TryComplete();
        stopped.CancelAfter(Grace);
        await loop;
        stopped.Dispose();
    }

    private async Task<ReportTaken> ReportAsync(StorageEvent what, bool isPart, CancellationToken cancellationToken)
    {
        var taken = new TaskCompletionSource<ReportTaken>(TaskCreationOptions.RunContinuationsAsynchronously);
        await entries.Writer.WriteAsync(new Entry([what], Taken: taken, IsPart: isPart), cancellationToken);
        return await taken.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync()
    {
        var events = new List<StorageEvent>(EventsPerReport);
        var complete = new List<Entry>();
        Entry? current = null;
        try
        {
            while (await entries.Reader.WaitToReadAsync(stopped.Token))
            {
                var bytes = 0;
                while (entries.Reader.TryRead(out current))
                {
                    if (current.IsPart)
                    {
                        await SendAsync(events, complete);
                        bytes = 0;
                        await SendPartAsync(current);
                        continue;
                    }
                    foreach (var next in current.Events)
                    {
                        var size = BytesPerEnvelope + JsonMarshal.GetRawUtf8Value(next.Data).Length;
                        if (events.Count == EventsPerReport || (events.Count > 0 && bytes + size > BytesPerReport))
                        {
                            await SendAsync(events, complete);
                            bytes = 0;
                        }
                        events.Add(next);
                        bytes += size;
                    }
                    complete.Add(current);
                }
                await SendAsync(events, complete);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped: outcomes that were not sent stay unreported in the journal.
        }
        entries.Writer.TryComplete();
        await Task.WhenAll(parts);
        current?.Taken?.TrySetCanceled();
        while (entries.Reader.TryRead(out var entry))
            complete.Add(entry);
        complete.ForEach(entry => entry.Taken?.TrySetCanceled());
    }

    /// <summary>Sends the events, and settles the entries of which they are the last.</summary>
    private async Task SendAsync(List<StorageEvent> events, List<Entry> complete)
    {
        var taken = new ReportTaken(0);
        if (events.Count > 0)
        {
            await Task.WhenAll(parts);
            parts.Clear();
            await RecordRevisionAsync(events);
            taken = await SendUntilTakenAsync(report([.. events]));
        }
        complete.ForEach(entry => entry.Taken?.TrySetResult(taken));
        Guid[] outcomes = [.. complete.Where(entry => entry.Outcome is not null).Select(entry => entry.Outcome!.Value)];
        if (outcomes.Length > 0)
            _ = MarkReportedAsync(outcomes);
        events.Clear();
        complete.Clear();
    }

    /// <summary>Ends when it is on its way.</summary>
    private async Task SendPartAsync(Entry part)
    {
        while (parts.Count == PartsTogether)
            parts.Remove(await Task.WhenAny(parts));
        await RecordRevisionAsync(part.Events);
        parts.Add(SendAsync());

        async Task SendAsync()
        {
            try
            {
                part.Taken!.TrySetResult(await SendUntilTakenAsync(report(part.Events)));
            }
            catch (Exception) when (stopped.IsCancellationRequested)
            {
                part.Taken!.TrySetCanceled();
            }
        }
    }

    private async Task<ReportTaken> SendUntilTakenAsync(HostReport next)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stopped.Token);
            timeout.CancelAfter(SendTimeout);
            try
            {
                var taken = await send(next, timeout.Token);
                if (attempt > 0)
                    WorkerLog.ReportsSentAgain(log, attempt);
                return taken;
            }
            catch (Exception e) when (!stopped.IsCancellationRequested)
            {
                if (attempt == 0)
                    WorkerLog.ReportNotSent(log, e, next.Events.Count);
            }
            await Task.Delay(Backoff.Pause(attempt, LongestPause), stopped.Token);
        }
    }

    private async Task RecordRevisionAsync(IReadOnlyList<StorageEvent> events)
    {
        if (events.Max(sent => sent.Revision) <= journal.RecordedRevision)
            return;
        try
        {
            await journal.RecordRevisionAsync();
        }
        catch (Exception e)
        {
            // What it guards against needs a clock set back as well: no reason to keep the inventory waiting.
            WorkerLog.JournalFailed(log, e);
        }
    }

    private async Task MarkReportedAsync(Guid[] outcomes)
    {
        try
        {
            await journal.MarkReportedAsync(outcomes);
        }
        catch (Exception e)
        {
            // Reported once more after the next start, with the same event ids.
            WorkerLog.JournalFailed(log, e);
        }
    }

    private sealed record Entry(
        IReadOnlyList<StorageEvent> Events, Guid? Outcome = null, TaskCompletionSource<ReportTaken>? Taken = null, bool IsPart = false);
}

/// <summary>Sends a report; ends when the inventory has taken it, throws when that is not known.</summary>
public delegate Task<ReportTaken> SendReport(HostReport report, CancellationToken cancellationToken);
