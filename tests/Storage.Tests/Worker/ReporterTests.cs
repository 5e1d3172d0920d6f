using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class ReporterTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly HostEvents events = new("host-a", new RevisionClock(TimeProvider.System), TimeProvider.System);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private Reporter New(RunJournal journal, TimeSpan? grace = null) => new(
        rig.Inbox.SendAsync, journal, sent => new HostReport("host-a", PoolFamily.File, Guid.Empty, sent), NullLogger.Instance)
    { Grace = grace ?? TimeSpan.FromSeconds(5) };

    private RunOutcome Outcome(int count)
    {
        var run = rig.Create("a");
        return new(run.OperationId, [.. Enumerable.Range(0, count).Select(_ => events.Create(run, new OperationSucceeded(run.OperationId)))]);
    }

    [Fact]
    public async Task Events_keep_their_order_in_reports_of_bounded_size()
    {
        await using var journal = rig.OpenJournal();
        var outcomes = Enumerable.Range(1, 60).Select(Outcome).ToArray();
        await using (var reporter = New(journal))
        {
            foreach (var outcome in outcomes)
                await reporter.ReportAsync(outcome, CancellationToken.None);
        }
        Assert.Equal(outcomes.SelectMany(outcome => outcome.Events).Select(sent => sent.EventId), rig.Inbox.Events.Select(seen => seen.EventId));
        Assert.All(rig.Inbox.Reports, report => Assert.InRange(report.Events.Count, 1, Reporter.EventsPerReport));
        Assert.InRange(rig.Inbox.Reports.Count, 1830 / Reporter.EventsPerReport, 600);
    }

    [Fact]
    public async Task It_goes_on_trying_while_the_broker_is_away_and_nothing_is_lost()
    {
        rig.Inbox.Away = true;
        await using var journal = rig.OpenJournal();
        await using var reporter = New(journal);
        var outcome = Outcome(1);
        await reporter.ReportAsync(outcome, CancellationToken.None);
        await rig.Inbox.UntilAsync(inbox => inbox.Refused >= 3);
        var streamed = reporter.ReportAsync(Outcome(1).Events[0], CancellationToken.None);
        Assert.False(streamed.IsCompleted);
        rig.Inbox.Away = false;
        await streamed.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(outcome.Events[0].EventId, rig.Inbox.Events[0].EventId);
    }

    [Fact]
    public async Task What_is_waiting_is_bounded()
    {
        rig.Inbox.Away = true;
        await using var journal = rig.OpenJournal();
        var reporter = New(journal, grace: TimeSpan.Zero);
        using var enough = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        var handedIn = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true)
            {
                await reporter.ReportAsync(Outcome(1), enough.Token);
                handedIn++;
            }
        });
        // A report that is being sent, and what waits behind it.
        Assert.InRange(handedIn, 1, Reporter.EventsPerReport + 300);
        Assert.False(reporter.TryReport(Outcome(1).Events[0]));
        await reporter.DisposeAsync();
    }

    [Fact]
    public async Task No_revision_is_sent_before_it_is_recorded()
    {
        var clock = new RevisionClock(TimeProvider.System);
        var stream = new HostEvents("host-a", clock, TimeProvider.System);
        await using var journal = rig.OpenJournal(clock);
        await using var reporter = New(journal);
        var sent = stream.Create("pools/x", new PoolUndefined(Guid.Empty, "x", "host-a"), EventCause.System);
        await reporter.ReportAsync(sent, CancellationToken.None);
        Assert.True(journal.RecordedRevision >= sent.Revision);
    }

    [Fact]
    public async Task A_stop_cancels_what_waits_for_a_broker_that_is_away()
    {
        rig.Inbox.Away = true;
        await using var journal = rig.OpenJournal();
        var reporter = New(journal, grace: TimeSpan.FromMilliseconds(50));
        var waiting = reporter.ReportAsync(Outcome(1).Events[0], CancellationToken.None);
        await reporter.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }
}
