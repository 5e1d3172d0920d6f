using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Runs that any replica may take, at one of them.</summary>
public sealed class SharedRunTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WorkerRig rig = new();
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task Nothing_is_done_before_it_is_granted()
    {
        var done = new List<int>();
        rig.Holds.Answer = asked =>
        {
            done.Add(rig.Backend.Creations.Count);
            return asked == 1 ? throw new TimeoutException("The inventory is away.")
                : asked == 2 ? HoldDesk.Not(HoldDecision.Wait) : HoldDesk.Granted();
        };
        var worker = await rig.StartAsync();
        var run = Shared("a");
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, run)).Type);
        Assert.Equal([0, 0, 0], done);
        Assert.All(rig.Holds.Questions, question => Assert.Equal((run.OperationId, "host-a", worker.Instance), (question.OperationId, question.Host, question.Instance)));
    }

    [Fact]
    public async Task What_only_this_host_may_do_is_not_asked_for()
    {
        var worker = await rig.StartAsync();
        await rig.EndAsync(worker, rig.Create("a"));
        Assert.Empty(rig.Holds.Questions);
    }

    [Theory]
    [InlineData(HoldDecision.Moved)]
    [InlineData(HoldDecision.Ended)]
    public async Task What_another_one_has_is_forgotten_without_a_word_and_taken_when_it_comes_back(HoldDecision decision)
    {
        var run = Shared("a");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.BeginAsync(run.OperationId);
            await journal.CancelAsync(run.OperationId);
        });
        rig.Holds.Answer = _ => HoldDesk.Not(decision);
        rig.Options.ConcurrentRunsPerPool = 1;
        // One after the other: when the second has ended, the first has left.
        await using (var first = await rig.StartAsync())
            await rig.EndAsync(first, rig.Create("other"));
        await using (var journal = rig.OpenJournal())
            Assert.Empty(await journal.ReadUnendedAsync());
        Assert.DoesNotContain(rig.Inbox.Events, seen => seen.CommandId == run.OperationId);
        rig.Holds.Answer = _ => HoldDesk.Granted(resumed: true);
        var worker = await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, run)).Type);
        Assert.Contains(("a", true), rig.Backend.Creations);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_cut_off_is_asked_for_again_by_the_next_start(bool begun)
    {
        var run = Shared("a");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            if (begun)
                await journal.BeginAsync(run.OperationId);
        });
        await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal(("a", begun), Assert.Single(rig.Backend.Creations));
        Assert.Contains(rig.Holds.Questions, question => question.OperationId == run.OperationId);
    }

    [Fact]
    public async Task What_another_one_held_before_is_resumed()
    {
        rig.Holds.Answer = _ => HoldDesk.Granted(resumed: true);
        rig.Backend.PutUnfinished("a");
        var worker = await rig.StartAsync();
        await rig.EndAsync(worker, Shared("a"));
        Assert.Equal(("a", true), Assert.Single(rig.Backend.Creations));
        Assert.Empty(rig.Backend.Unfinished);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_cancelled_elsewhere_is_undone_where_it_may_have_been_begun_and_not_done_in_any_case(bool resumed)
    {
        rig.Holds.Answer = _ => HoldDesk.Granted(resumed, cancelled: true);
        rig.Backend.Creating = (_, _, token) => finish.Task.WaitAsync(token);
        if (resumed)
            rig.Backend.PutUnfinished("a");
        var worker = await rig.StartAsync();
        Assert.Equal(nameof(OperationCancelled), (await rig.EndAsync(worker, Shared("a"))).Type);
        Assert.Equal(resumed ? 1 : 0, rig.Backend.Creations.Count);
        Assert.Empty(rig.Backend.Unfinished);
        Assert.Empty(rig.Backend.Names);
    }

    [Fact]
    public async Task A_cancel_waits_for_the_hold()
    {
        var granted = new TaskCompletionSource<RunHold>(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Holds.Answer = _ =>
        {
            asked.TrySetResult();
            return granted.Task.IsCompleted ? HoldDesk.Granted(resumed: true) : HoldDesk.Not(HoldDecision.Wait);
        };
        rig.Backend.PutUnfinished("a");
        rig.Backend.Creating = (_, _, token) => finish.Task.WaitAsync(token);
        var worker = await rig.StartAsync();
        var run = Shared("a");
        await worker.AcceptAsync(new RunOperations([run]));
        await asked.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        Assert.Equal(0, rig.Inbox.Ends(run.OperationId));
        granted.SetResult(HoldDesk.Granted());
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Empty(rig.Backend.Unfinished);
    }

    [Fact]
    public async Task A_run_is_cut_off_when_its_lease_ends_and_goes_on_when_it_is_held_again()
    {
        rig.Options.AnnounceInterval = TimeSpan.FromMilliseconds(100);
        rig.Holds.Answer = _ => HoldDesk.Granted(leaseSeconds: 1);
        var cutOff = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Backend.Creating = async (_, run, token) =>
        {
            if (run.Resumed)
                return;
            entered.TrySetResult();
            try
            {
                await finish.Task.WaitAsync(token);
            }
            finally
            {
                cutOff.TrySetResult(run.CutOff);
            }
        };
        var worker = await rig.StartAsync();
        var run = Shared("a");
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        rig.Inbox.Away = true;
        Assert.True(await cutOff.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(0, rig.Inbox.Ends(run.OperationId));
        rig.Inbox.Away = false;
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal([("a", false), ("a", true)], rig.Backend.Creations);
    }

    [Fact]
    public async Task A_difference_is_not_applied_again_when_its_run_goes_on_after_the_end_of_its_lease()
    {
        rig.Options.AnnounceInterval = TimeSpan.FromMilliseconds(100);
        rig.Holds.Answer = _ => HoldDesk.Granted(leaseSeconds: 1);
        rig.Backend.Put("a");
        var changes = 0;
        var cutOff = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Backend.Changing = async (_, token) =>
        {
            if (++changes > 1)
                return;
            entered.TrySetResult();
            try
            {
                await finish.Task.WaitAsync(token);
            }
            finally
            {
                cutOff.TrySetResult();
            }
        };
        var worker = await rig.StartAsync();
        var run = rig.Run(new ResizeVolume(null, "images", "a", 4, Delta: true)) with { Shared = true };
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        rig.Inbox.Away = true;
        await cutOff.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        rig.Inbox.Away = false;
        var end = await rig.Inbox.EndAsync(run.OperationId);
        Assert.Equal((nameof(OperationSucceeded), 2), (end.Type, changes));
        Assert.Equal(5, (await rig.Backend.ReadVolumeAsync(rig.Pool, "a", CancellationToken.None))!.Capacity);
    }

    [Fact]
    public async Task What_a_difference_comes_to_is_kept_before_it_begins()
    {
        rig.Backend.Put("a");
        var begun = new List<bool>();
        rig.Holds.Answer = _ => HoldDesk.Granted(leaseSeconds: 60);
        rig.Backend.Changing = (_, _) =>
        {
            begun.Add(rig.Holds.Questions[^1].Plan is not null);
            return Task.CompletedTask;
        };
        var worker = await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, Larger())).Type);
        Assert.Equal([true], begun);
        Assert.Single(rig.Holds.Questions, question => question.Plan is not null);
    }

    [Fact]
    public async Task A_difference_that_another_one_has_worked_out_is_not_worked_out_again()
    {
        rig.Backend.Put("a");
        rig.Holds.Answer = _ => HoldDesk.Granted(resumed: true) with { Plan = """{"from":1,"to":3,"allocate":false,"force":false}""" };
        var worker = await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, Larger())).Type);
        Assert.Equal(3, (await rig.Backend.ReadVolumeAsync(rig.Pool, "a", CancellationToken.None))!.Capacity);
        Assert.DoesNotContain(rig.Holds.Questions, question => question.Plan is not null);
    }

    [Fact]
    public async Task What_was_given_to_another_one_while_it_was_worked_out_does_not_begin()
    {
        rig.Backend.Put("a");
        rig.Holds.Answer = _ => rig.Holds.Questions[^1].Plan is null ? HoldDesk.Granted() : HoldDesk.Not(HoldDecision.Moved);
        rig.Options.ConcurrentRunsPerPool = 1;
        var worker = await rig.StartAsync();
        var run = Larger();
        await worker.AcceptAsync(new RunOperations([run]));
        await rig.EndAsync(worker, rig.Create("after"));
        Assert.Equal(0, rig.Inbox.Ends(run.OperationId));
        Assert.Equal(1, (await rig.Backend.ReadVolumeAsync(rig.Pool, "a", CancellationToken.None))!.Capacity);
    }

    [Fact]
    public async Task A_run_that_announcements_keep_alive_is_not_cut_off()
    {
        rig.Options.AnnounceInterval = TimeSpan.FromMilliseconds(100);
        rig.Holds.Answer = _ => HoldDesk.Granted(leaseSeconds: 5);
        rig.Backend.Creating = async (_, _, token) =>
        {
            var before = Announcements();
            await rig.Inbox.UntilAsync(inbox => Announcements() > before + 70).WaitAsync(token);
        };
        var worker = await rig.StartAsync();
        await rig.EndAsync(worker, Shared("a"));
        Assert.Equal(("a", false), Assert.Single(rig.Backend.Creations));
    }

    [Fact]
    public async Task A_process_that_slept_through_the_end_of_its_lease_does_nothing_more()
    {
        var time = new SleepingTime();
        await using var sleeper = new WorkerRig { Time = time };
        sleeper.Options.ConcurrentRunsPerPool = 1;
        var effects = 0;
        sleeper.Backend.Creating = async (_, run, token) =>
        {
            if (!run.Resumed)
            {
                entered.TrySetResult();
                // Awaited without the token: what wakes up is due at once.
                await finish.Task;
                // A step of its own, also where there was nothing to wait for by then.
                await Task.Yield();
                token.ThrowIfCancellationRequested();
            }
            effects++;
        };
        sleeper.Holds.Answer = _ => HoldDesk.Granted(leaseSeconds: 3600);
        var worker = await sleeper.StartAsync();
        var run = Shared("a");
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        sleeper.Holds.Answer = _ => HoldDesk.Not(HoldDecision.Moved);
        time.Sleep(TimeSpan.FromHours(2));
        finish.SetResult();
        await sleeper.EndAsync(worker, sleeper.Create("after"));
        Assert.Equal(0, sleeper.Inbox.Ends(run.OperationId));
        Assert.Equal(1, effects);
    }

    [Fact]
    public async Task What_ended_here_is_reported_again_unless_another_one_had_it_since()
    {
        var worker = await rig.StartAsync();
        var run = Shared("a");
        var end = await rig.EndAsync(worker, run);
        await worker.AcceptAsync(new RunOperations([run]));
        await rig.Inbox.UntilAsync(inbox => inbox.Events.Count(seen => seen.EventId == end.EventId) == 2);
        Assert.Single(rig.Backend.Creations);
        await rig.Backend.DeleteVolumeAsync(rig.Pool, "a", null!, CancellationToken.None);
        rig.Holds.Answer = _ => HoldDesk.Granted(resumed: true);
        await worker.AcceptAsync(new RunOperations([run]));
        await rig.Inbox.UntilAsync(inbox => inbox.Ends(run.OperationId) == 2);
        Assert.Equal([("a", false), ("a", true)], rig.Backend.Creations);
    }

    [Fact]
    public async Task What_comes_back_while_it_is_being_forgotten_is_run_afterwards()
    {
        var executed = new List<LiveRun>();
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var scheduler = new RunScheduler(1, async run =>
        {
            executed.Add(run);
            entered.TrySetResult();
            await finish.Task;
            if (executed.Count == 2)
                second.SetResult();
            return null;
        });
        var run = Shared("a");
        LiveRun first = new(run, resumed: false, CancellationToken.None), again = new(run, resumed: false, CancellationToken.None);
        scheduler.Add(first);
        await entered.Task;
        scheduler.Add(again);
        finish.SetResult();
        await second.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal([first, again], executed);
    }

    private OperationRun Larger() => rig.Run(new ResizeVolume(null, "images", "a", 4, Delta: true)) with { Shared = true };

    private OperationRun Shared(string volume) => rig.Create(volume) with { Shared = true };

    private int Announcements() => rig.Inbox.Events.Count(seen => seen.Type == nameof(WorkerAnnounced));

    /// <summary>The clock of a process that was stopped: time has passed, its timers have not noticed.</summary>
    private sealed class SleepingTime : TimeProvider
    {
        private long slept;

        public void Sleep(TimeSpan time) => Interlocked.Add(ref slept, (long)(time.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref slept);
    }
}
