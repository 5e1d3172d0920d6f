using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class RunJournalTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly HostEvents events = new("host-a", new RevisionClock(TimeProvider.System), TimeProvider.System);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private RunOutcome Outcome(OperationRun run) =>
        new(run.OperationId, [events.Create(run, new OperationSucceeded(run.OperationId))]);

    [Fact]
    public async Task What_was_journalled_is_there_when_it_is_opened_again()
    {
        OperationRun accepted = rig.Create("a"), begun = rig.Create("b"), ended = rig.Create("c"), reported = rig.Create("d"), cancelled = rig.Create("e");
        var outcome = Outcome(ended);
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([accepted, begun, ended, reported, cancelled]);
            await journal.BeginAsync(begun.OperationId);
            await journal.EndAsync(outcome);
            await journal.EndAsync(Outcome(reported));
            await journal.MarkReportedAsync([reported.OperationId]);
            Assert.Null(await journal.CancelAsync(cancelled.OperationId));
        });

        await using var again = rig.OpenJournal();
        Assert.Equal((5, 1), (again.Entries, again.Unreported));
        var unended = await again.ReadUnendedAsync();
        Assert.Equal(
            [(accepted.OperationId, false, false), (begun.OperationId, true, false), (cancelled.OperationId, false, true)],
            unended.Select(run => (run.OperationId, run.Begun, run.CancelRequested)));
        Assert.Equal(begun.Pool!.Name, unended[1].Run!.Pool!.Name);
        var left = Assert.Single(await again.ReadLeftOversAsync(0, 10));
        Assert.Equal(outcome.Events[0].EventId, left.Outcome.Events[0].EventId);
        Assert.Empty(await again.ReadLeftOversAsync(left.Entry, 10));
    }

    [Fact]
    public async Task A_plan_is_kept_with_the_begin_also_in_a_journal_of_the_version_before()
    {
        OperationRun old = rig.Create("old"), run = rig.Create("a");
        await rig.LeaveAsync(journal => journal.AcceptAsync([old]));
        await using (var file = new Microsoft.Data.Sqlite.SqliteConnection(
            $"Data Source={Path.Combine(rig.Options.FamilyFolder(PoolFamily.File), "journal.db")};Pooling=False"))
        {
            await file.OpenAsync(TestContext.Current.CancellationToken);
            await using var back = file.CreateCommand();
            back.CommandText = "ALTER TABLE runs DROP COLUMN plan; ALTER TABLE revision DROP COLUMN forgotten; PRAGMA user_version = 1;";
            await back.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.BeginAsync(run.OperationId, "15 bytes");
        });
        await using var again = rig.OpenJournal();
        Assert.Equal([(false, null), (true, "15 bytes")], (await again.ReadUnendedAsync()).Select(left => (left.Begun, left.Plan)));
    }

    [Fact]
    public async Task A_checkpoint_replaces_the_plan_of_a_run_that_has_begun_and_of_no_other()
    {
        OperationRun begun = rig.Create("a"), waiting = rig.Create("b");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([begun, waiting]);
            await journal.BeginAsync(begun.OperationId, "0 bytes");
            foreach (var run in new[] { begun, waiting })
                await journal.CheckpointAsync(run.OperationId, "15 bytes");
        });
        await using var again = rig.OpenJournal();
        Assert.Equal([(true, "15 bytes"), (false, null)], (await again.ReadUnendedAsync()).Select(left => (left.Begun, left.Plan)));
    }

    [Fact]
    public async Task A_run_is_new_once_then_live_then_ended_with_its_first_outcome()
    {
        await using var journal = rig.OpenJournal();
        var run = rig.Create("a");
        var first = Outcome(run);
        Assert.Equal(RunStanding.New, (await journal.AcceptAsync([run]))[0].Standing);
        Assert.Equal(RunStanding.Live, (await journal.AcceptAsync([run]))[0].Standing);
        await journal.EndAsync(first);
        await journal.EndAsync(Outcome(run));
        var ended = (await journal.AcceptAsync([run]))[0];
        Assert.Equal((RunStanding.Ended, first.Events[0].EventId), (ended.Standing, ended.Outcome!.Events[0].EventId));
        Assert.Equal((1, 1), (journal.Entries, journal.Unreported));
    }

    [Fact]
    public async Task A_cancel_that_comes_before_its_run_is_remembered()
    {
        var run = rig.Create("a");
        await rig.LeaveAsync(journal => journal.CancelAsync(run.OperationId));
        await using var again = rig.OpenJournal();
        Assert.Equal(RunStanding.Cancelled, (await again.AcceptAsync([run]))[0].Standing);
    }

    [Fact]
    public async Task Concurrent_callers_share_transactions()
    {
        await using var journal = rig.OpenJournal();
        var runs = Enumerable.Range(0, 2000).Select(i => rig.Create($"v{i}")).ToArray();
        await Task.WhenAll(runs.Select(run => journal.AcceptAsync([run])));
        Assert.Equal(2000, journal.Entries);
        Assert.InRange(journal.Commits, 1, 1000);
    }

    [Fact]
    public async Task Revisions_rise_over_a_restart_with_the_clock_set_back()
    {
        var time = new ManualTime();
        var clock = new RevisionClock(time);
        await using (var journal = rig.OpenJournal(clock, time))
        {
            clock.Next();
            await journal.RecordRevisionAsync();
        }
        var before = clock.Last;
        time.Now -= TimeSpan.FromDays(1);
        var restarted = new RevisionClock(time);
        await using var again = rig.OpenJournal(restarted, time);
        Assert.Equal(before + 1, restarted.Next());
    }

    [Fact]
    public async Task Only_reported_runs_are_forgotten_the_oldest_first()
    {
        var runs = Enumerable.Range(0, 30).Select(i => rig.Create($"v{i}")).ToArray();
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync(runs);
            foreach (var run in runs.Skip(2))
                await journal.EndAsync(Outcome(run));
            await journal.MarkReportedAsync([.. runs.Skip(3).Select(run => run.OperationId)]);
        });
        await using var again = rig.OpenJournal(keep: 10);
        Assert.Equal(2 + 1 + 10, again.Entries);
        Assert.Equal(
            [RunStanding.Live, RunStanding.Live, RunStanding.Ended, RunStanding.New, RunStanding.Ended],
            (await again.AcceptAsync([runs[0], runs[1], runs[2], runs[3], runs[29]])).Select(run => run.Standing));
    }

    [Fact]
    public async Task Reported_runs_are_forgotten_when_they_are_old()
    {
        var time = new ManualTime();
        var run = rig.Create("a");
        await using (var journal = rig.OpenJournal(time: time))
        {
            await journal.AcceptAsync([run]);
            await journal.EndAsync(Outcome(run));
            await journal.MarkReportedAsync([run.OperationId]);
        }
        time.Now += TimeSpan.FromDays(8);
        await using var again = rig.OpenJournal(time: time);
        Assert.Equal(0, again.Entries);
    }

    [Fact]
    public async Task What_was_sent_before_runs_were_forgotten_may_have_ended_and_what_is_sent_later_has_not()
    {
        var time = new ManualTime();
        OperationRun waiting = rig.Create("w") with { Revision = Sent() }, forgotten = rig.Create("a") with { Revision = Sent() };
        await using (var journal = rig.OpenJournal(time: time))
        {
            Assert.False((await journal.AcceptAsync([waiting, forgotten]))[1].MayHaveEnded);
            await journal.EndAsync(Outcome(forgotten));
            await journal.MarkReportedAsync([forgotten.OperationId]);
        }
        var copy = forgotten with { Revision = Sent() };
        time.Now += TimeSpan.FromDays(8);
        await using (var again = rig.OpenJournal(time: time))
        {
            OperationRun other = rig.Create("b") with { Revision = Sent() + 10 };
            Assert.Equal(
                [(RunStanding.New, true), (RunStanding.New, false), (RunStanding.Live, false)],
                (await again.AcceptAsync([copy, other, waiting])).Select(run => (run.Standing, run.MayHaveEnded)));
        }
        // The worker was killed before it knew.
        await using var third = rig.OpenJournal(time: time);
        Assert.Equal([true, true, false], (await third.ReadUnendedAsync()).Select(run => run.MayHaveEnded));

        long Sent() => RevisionClock.At(time.Now);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_waits_for_the_disk_where_it_is_to_survive_a_loss_of_power(bool powerLossSafe)
    {
        await using var journal = rig.OpenJournal(powerLossSafe: powerLossSafe);
        Assert.Equal(powerLossSafe, journal.SurvivesPowerLoss);
    }

    [Fact]
    public async Task A_closed_journal_refuses_to_write()
    {
        var journal = rig.OpenJournal();
        await journal.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => journal.BeginAsync(Guid.NewGuid()));
    }
}
