using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class RedeliveryTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private async Task HoldAsync(VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        entered.TrySetResult();
        await finish.Task.WaitAsync(cancellationToken);
    }

    [Fact]
    public async Task An_ended_run_is_reported_again_with_the_same_events_and_not_run_again()
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        await rig.EndAsync(worker, run);
        await worker.AcceptAsync(new RunOperations([run]));
        await rig.Inbox.UntilAsync(inbox => inbox.Events.Count(seen => seen.CommandId == run.OperationId) == 4);
        var events = rig.Inbox.Events.Where(seen => seen.CommandId == run.OperationId).Select(seen => seen.EventId).ToArray();
        Assert.Equal(events[..2], events[2..]);
        Assert.Single(rig.Backend.Creations);
    }

    [Fact]
    public async Task A_running_or_waiting_run_is_not_run_twice()
    {
        rig.Options.ConcurrentRunsPerPool = 1;
        rig.Backend.Creating = HoldAsync;
        var worker = await rig.StartAsync();
        OperationRun running = rig.Create("a"), waiting = rig.Create("b");
        await worker.AcceptAsync(new RunOperations([running, waiting, running]));
        await entered.Task;
        await worker.AcceptAsync(new RunOperations([running, waiting]));
        finish.SetResult();
        await rig.Inbox.EndAsync(running.OperationId);
        await rig.Inbox.EndAsync(waiting.OperationId);
        Assert.Equal(["a", "b"], rig.Backend.Creations.Select(creation => creation.Volume));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_was_cut_off_is_resumed_by_the_next_start(bool begun)
    {
        var run = rig.Create("a");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            if (begun)
                await journal.BeginAsync(run.OperationId);
        });
        if (begun)
            rig.Backend.PutUnfinished("a");
        await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal(("a", begun), Assert.Single(rig.Backend.Creations));
        Assert.Empty(rig.Backend.Unfinished);
    }

    [Fact]
    public async Task What_was_complete_when_it_was_cut_off_is_adopted()
    {
        var run = rig.Create("a");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.BeginAsync(run.OperationId);
        });
        rig.Backend.Put("a");
        await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Empty(rig.Backend.Creations);
    }

    [Fact]
    public async Task A_stop_cuts_runs_off_without_an_end_and_the_next_start_resumes_them()
    {
        rig.Options.ConcurrentRunsPerPool = 1;
        rig.Backend.Creating = HoldAsync;
        OperationRun running = rig.Create("a"), waiting = rig.Create("b");
        await using (var worker = await rig.StartAsync())
        {
            await worker.AcceptAsync(new RunOperations([running, waiting]));
            await entered.Task;
        }
        Assert.Equal((0, 0), (rig.Inbox.Ends(running.OperationId), rig.Inbox.Ends(waiting.OperationId)));
        finish.SetResult();
        await rig.StartAsync();
        await rig.Inbox.EndAsync(running.OperationId);
        await rig.Inbox.EndAsync(waiting.OperationId);
        Assert.Equal([("a", false), ("a", true), ("b", false)], rig.Backend.Creations);
    }

    [Fact]
    public async Task An_outcome_that_was_not_reported_is_reported_by_the_next_start()
    {
        var run = rig.Create("a");
        var events = new HostEvents("host-a", new RevisionClock(TimeProvider.System), TimeProvider.System);
        var end = events.Create(run, new OperationSucceeded(run.OperationId));
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.EndAsync(new RunOutcome(run.OperationId, [end]));
        });
        await using (await rig.StartAsync())
            Assert.Equal(end.EventId, (await rig.Inbox.EndAsync(run.OperationId)).EventId);
        await using var journal = rig.OpenJournal();
        Assert.Equal(0, journal.Unreported);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_copy_of_a_run_that_the_journal_has_forgotten_is_not_run_again(bool cancelled)
    {
        var run = rig.Create("a");
        await using (var journal = rig.OpenJournal(time: new ManualTime { Now = DateTimeOffset.UtcNow - TimeSpan.FromDays(8) }))
        {
            await journal.AcceptAsync([run]);
            await journal.EndAsync(new RunOutcome(run.OperationId, []));
            await journal.MarkReportedAsync([run.OperationId]);
        }
        rig.Options.ConcurrentRunsPerPool = 1;
        rig.Options.AnnounceInterval = TimeSpan.FromMilliseconds(100);
        rig.Holds.Answer = asked => asked == 1 ? HoldDesk.Not(HoldDecision.Ended) : HoldDesk.Granted();
        var worker = await rig.StartAsync();
        if (cancelled)
            await worker.CancelAsync(new CancelRun(run.OperationId));
        await worker.AcceptAsync(new RunOperations([run]));
        // One after the other: when these have ended, the first has left.
        OperationRun late = rig.Create("late"), current = rig.Create("current") with { Revision = long.MaxValue / 2 };
        await rig.Inbox.UntilAsync(_ => rig.Holds.Questions.Count > 0);
        await rig.EndAsync(worker, late);
        await rig.EndAsync(worker, current);
        Assert.Equal(["late", "current"], rig.Backend.Creations.Select(creation => creation.Volume));
        Assert.DoesNotContain(rig.Inbox.Events, seen => seen.CommandId == run.OperationId);
        Assert.Equal([run.OperationId, late.OperationId], rig.Holds.Questions.Select(question => question.OperationId));
    }

    [Fact]
    public async Task A_second_worker_on_the_same_state_runs_nothing_until_the_first_has_ended()
    {
        var first = await rig.StartAsync();
        var second = rig.New();
        var starting = second.StartAsync(CancellationToken.None);
        await rig.EndAsync(first, rig.Create("a"));
        Assert.False(second.Active);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.AcceptAsync(new RunOperations([rig.Create("b")])));
        await first.DisposeAsync();
        await starting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(second.Active);
        await rig.EndAsync(second, rig.Create("c"));
    }

    [Fact]
    public async Task A_standby_can_be_stopped()
    {
        await rig.StartAsync();
        var second = rig.New();
        using var stop = new CancellationTokenSource();
        var starting = second.StartAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
    }
}
