using System.Threading.Channels;
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
    public async Task Two_parts_are_on_their_way_at_once_after_what_came_before_and_before_what_comes_after()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var sent = Channel.CreateUnbounded<(Guid Event, int OnTheWay, TaskCompletionSource<ReportTaken> Answer)>();
        var onTheWay = 0;
        // All revisions are recorded with the first: nothing but the answers is waited for.
        var clock = new RevisionClock(TimeProvider.System);
        var stream = new HostEvents("host-a", clock, TimeProvider.System);
        await using var journal = rig.OpenJournal(clock);
        await using var reporter = new Reporter(
            async (report, stopped) =>
            {
                var answer = new TaskCompletionSource<ReportTaken>(TaskCreationOptions.RunContinuationsAsynchronously);
                sent.Writer.TryWrite((report.Events[0].EventId, Interlocked.Increment(ref onTheWay) - 1, answer));
                var taken = await answer.Task.WaitAsync(stopped);
                Interlocked.Decrement(ref onTheWay);
                return taken;
            },
            journal, events => new HostReport("host-a", PoolFamily.File, Guid.Empty, events), NullLogger.Instance)
        { Grace = TimeSpan.Zero };
        StorageEvent[] told = [.. Enumerable.Range(0, 5).Select(i => stream.Create($"pools/{i}", new PoolUndefined(Guid.Empty, "x", "host-a"), EventCause.System))];
        var (before, parts, after) = (told[0], told[1..4], told[4]);
        var sentBefore = reporter.ReportAsync(before, cancellation);
        Task[] taken = [.. parts.Select(part => reporter.ReportPartAsync(part, cancellation))];
        var sentAfter = reporter.ReportAsync(after, cancellation);

        (await NextAsync(before, alreadyOnTheWay: 0)).SetResult(new ReportTaken(1));
        await sentBefore;
        var first = await NextAsync(parts[0], alreadyOnTheWay: 0);
        var second = await NextAsync(parts[1], alreadyOnTheWay: 1);
        second.SetResult(new ReportTaken(1));
        await taken[1];
        var third = await NextAsync(parts[2], alreadyOnTheWay: 1);
        Assert.False(taken[0].IsCompleted);
        third.SetResult(new ReportTaken(1));
        await taken[2];
        first.SetResult(new ReportTaken(1));
        (await NextAsync(after, alreadyOnTheWay: 0)).SetResult(new ReportTaken(1));
        await sentAfter;

        async Task<TaskCompletionSource<ReportTaken>> NextAsync(StorageEvent expected, int alreadyOnTheWay)
        {
            var next = await sent.Reader.ReadAsync(cancellation);
            Assert.Equal((expected.EventId, alreadyOnTheWay), (next.Event, next.OnTheWay));
            return next.Answer;
        }
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
