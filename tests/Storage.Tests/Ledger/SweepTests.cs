using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>What is done from time to time; each test has a ledger of its own, since time is everybody's.</summary>
public sealed class SweepTests : IAsyncLifetime
{
    private static readonly RefreshIntervals RefreshEvery = new(TimeSpan.FromMinutes(10), TimeSpan.FromHours(1));

    private readonly LedgerFixture ledger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LedgerSweep Sweep => ledger.Get<LedgerSweep>();

    [Fact]
    public async Task A_worker_that_is_silent_is_lost_once_and_comes_back_by_its_word()
    {
        ledger.Clock.Advance(WorkerAnnouncement.LostAfter / 2);
        await Sweep.WatchWorkersAsync(Cancellation);
        Assert.Equal(0, await CountAsync(nameof(WorkerLost)));
        ledger.Clock.Advance(WorkerAnnouncement.LostAfter);
        await Sweep.WatchWorkersAsync(Cancellation);
        await Sweep.WatchWorkersAsync(Cancellation);
        Assert.Equal(1, await CountAsync(nameof(WorkerLost)));
        await ledger.AnnounceAsync();
        Assert.False(await ledger.QueryAsync(db => db.Workers.Select(row => row.Lost).SingleAsync()));
    }

    [Fact]
    public async Task Work_that_is_not_answered_is_sent_again_at_growing_intervals_while_its_worker_lives()
    {
        var pool = await ledger.RunningPoolAsync("p");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        await Sweep.SendAgainAsync(Cancellation);
        Assert.Equal(1, (await ledger.OperationAsync(create.Id)).Sent);
        ledger.Clock.Advance(TimeSpan.FromSeconds(31));
        await Sweep.SendAgainAsync(Cancellation);
        await Sweep.SendAgainAsync(Cancellation);
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
        ledger.Clock.Advance(TimeSpan.FromSeconds(31));
        await Sweep.SendAgainAsync(Cancellation);
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
        ledger.Clock.Advance(TimeSpan.FromSeconds(31));
        await Sweep.WatchWorkersAsync(Cancellation);
        await Sweep.SendAgainAsync(Cancellation);
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
    }

    [Fact]
    public async Task A_cancel_of_what_runs_is_sent_again_until_the_operation_has_ended()
    {
        var pool = await ledger.RunningPoolAsync("p");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        await ledger.ReportAsync(ledger.Event(new OperationProgressed(create.Id, new OperationProgress(1)), Resources.Operation(create.Id), create.Id));
        Assert.Equal(OperationState.Running, (await ledger.OperationAsync(create.Id)).State);
        await SweepLaterAsync();
        Assert.Equal(1, (await ledger.OperationAsync(create.Id)).Sent);
        await ledger.AcceptAsync(new CancelOperation(null, create.Id));
        await ledger.HeardAsync(ledger.Cancels, create.Id);
        await SweepLaterAsync();
        await ledger.HeardAsync(ledger.Cancels, create.Id, times: 2);
        await ledger.ReportAsync(ledger.Cancelled(create.Id));
        await SweepLaterAsync();
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
    }

    [Fact]
    public async Task What_was_sent_by_a_clock_that_was_ahead_is_sent_again_and_not_each_time()
    {
        var pool = await ledger.RunningPoolAsync("p");
        ledger.Clock.Advance(TimeSpan.FromHours(2));
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        ledger.Clock.Advance(TimeSpan.FromHours(-2));
        await Sweep.SendAgainAsync(Cancellation);
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
        await Sweep.SendAgainAsync(Cancellation);
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
    }

    [Fact]
    public async Task A_worker_that_was_started_again_gets_its_open_work_again()
    {
        var pool = await ledger.RunningPoolAsync("p");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        await ledger.AnnounceAsync(newProcess: true);
        Assert.Equal(2, (await ledger.OperationAsync(create.Id)).Sent);
    }

    [Fact]
    public async Task Autostart_is_tried_again_and_again_until_it_succeeds_and_not_after_a_stop()
    {
        var pool = (await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("p")))).PoolId!.Value;
        await ledger.AcceptAsync(new SetPoolAutostart(null, "p", true));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Empty(await LiveAsync(pool));

        await ledger.AnnounceAsync(newProcess: true);
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        await ledger.ReportAsync(ledger.Failure(Assert.Single(await LiveAsync(pool)).Id));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Empty(await LiveAsync(pool));
        ledger.Clock.Advance(TimeSpan.FromSeconds(3));
        await ledger.AnnounceAsync();
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        var second = Assert.Single(await LiveAsync(pool));
        Assert.Equal((nameof(StartPool), EventCause.System), (second.Command, second.Cause));
        await ledger.ReportAsync(
            ledger.Event(new PoolStarted(pool, new PoolObservation(PoolState.Running, 1, 0, 1)), Resources.Pool(pool), second.Id), ledger.Success(second.Id));

        var stop = await ledger.AcceptAsync(new StopPool(null, "p"));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool), stop.Id), ledger.Success(stop.Id));
        ledger.Clock.Advance(TimeSpan.FromMinutes(6));
        await ledger.AnnounceAsync();
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Empty(await LiveAsync(pool));
    }

    [Fact]
    public async Task An_active_pool_is_looked_at_when_nobody_has_for_long_and_nobody_uses_it()
    {
        var pool = await ledger.RunningPoolAsync("p");
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Empty(await LiveAsync(pool));
        ledger.Clock.Advance(RefreshEvery.Unwatched + TimeSpan.FromMinutes(1));
        await ledger.AnnounceAsync();
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Equal(create.Id, Assert.Single(await LiveAsync(pool)).Id);
        await ledger.ReportAsync(ledger.Failure(create.Id));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Equal(nameof(RefreshPool), Assert.Single(await LiveAsync(pool)).Command);
    }

    [Fact]
    public async Task A_watched_pool_is_looked_at_after_its_own_interval()
    {
        var pool = await ledger.RunningPoolAsync("p");
        await RefreshedAsync(pool, watched: true);
        await LaterAsync(RefreshEvery.Unwatched * 2);
        Assert.Empty(await LiveAsync(pool));
        await LaterAsync(RefreshEvery.Watched);
        Assert.Equal((nameof(RefreshPool), EventCause.System), Assert.Single((await LiveAsync(pool)).Select(row => (row.Command, row.Cause))));
        await LaterAsync(RefreshEvery.Watched);
        Assert.Single(await LiveAsync(pool));
    }

    [Fact]
    public async Task A_pool_whose_watch_has_ended_is_looked_at_as_one_that_is_not_watched()
    {
        var pool = await ledger.RunningPoolAsync("p");
        await RefreshedAsync(pool, watched: true);
        await RefreshedAsync(pool, watched: false);
        await LaterAsync(RefreshEvery.Unwatched + TimeSpan.FromMinutes(1));
        Assert.Single(await LiveAsync(pool));
    }

    [Fact]
    public void A_thousand_pools_seen_at_once_are_due_over_a_fifth_of_the_interval()
    {
        var seen = DateTimeOffset.UnixEpoch;
        var due = Enumerable.Range(0, 1000).Select(_ => RefreshEvery.DueAt(Guid.CreateVersion7(), watched: false, seen) - seen).ToList();
        Assert.All(due, after => Assert.InRange(after, RefreshEvery.Unwatched * 0.8, RefreshEvery.Unwatched));
        // Of the two minutes each half minute has a fair part.
        Assert.All(Enumerable.Range(0, 4), part => Assert.InRange(
            due.Count(after => Math.Min((int)((after - RefreshEvery.Unwatched * 0.8) / TimeSpan.FromSeconds(30)), 3) == part), 150, 350));
    }

    [Fact]
    public async Task A_refresh_that_a_worker_wants_is_queued_once_and_not_of_a_pool_that_is_stopped_or_out_of_reach()
    {
        var pool = await ledger.RunningPoolAsync("p");
        var wanted = new PoolRefreshWanted(pool, "much has changed");
        await ledger.ReportAsync(ledger.Event(wanted, Resources.Pool(pool)), ledger.Event(wanted, Resources.Pool(pool)));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        var refresh = Assert.Single(await LiveAsync(pool));
        Assert.Equal(nameof(RefreshPool), refresh.Command);
        await ledger.ReportAsync(
            ledger.Event(new PoolStateChanged(pool, PoolState.Inaccessible, "away"), Resources.Pool(pool), refresh.Id), ledger.Failure(refresh.Id));
        await ledger.ReportAsync(ledger.Event(wanted, Resources.Pool(pool)));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Empty(await LiveAsync(pool));
        var stop = await ledger.AcceptAsync(new StopPool(null, "p"));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool), stop.Id), ledger.Success(stop.Id));
        await ledger.ReportAsync(ledger.Event(wanted, Resources.Pool(pool)));
        await LaterAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(await LiveAsync(pool));
    }

    [Fact]
    public async Task A_periodic_refresh_that_failed_is_tried_again_after_half_a_minute_and_not_at_once()
    {
        var pool = await ledger.RunningPoolAsync("p");
        await LaterAsync(RefreshEvery.Unwatched + TimeSpan.FromMinutes(1));
        await ledger.ReportAsync(ledger.Failure(Assert.Single(await LiveAsync(pool)).Id));
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Empty(await LiveAsync(pool));
        await LaterAsync(TimeSpan.FromSeconds(31));
        Assert.Single(await LiveAsync(pool));
    }

    [Fact]
    public async Task The_active_pools_of_a_worker_that_comes_up_are_looked_at()
    {
        var pool = await ledger.RunningPoolAsync("p");
        await RefreshedAsync(pool, watched: true);
        await ledger.AnnounceAsync(newProcess: true);
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
        Assert.Equal(nameof(RefreshPool), Assert.Single(await LiveAsync(pool)).Command);
    }

    [Fact]
    public async Task What_was_accepted_by_a_clock_that_was_ahead_has_its_end_after_its_beginning()
    {
        var pool = await ledger.RunningPoolAsync("p");
        ledger.Clock.Advance(TimeSpan.FromHours(16));
        var first = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var second = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()));
        var third = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()));
        ledger.Clock.Advance(-TimeSpan.FromHours(16));
        await ledger.AcceptAsync(new CancelOperation(null, third.Id));
        await ledger.ReportAsync(ledger.Failure(first.Id));
        var accepted = await ledger.QueryAsync(db => db.Events.Where(row => row.Type == nameof(OperationAccepted)).ToDictionaryAsync(row => row.Resource, row => row.Revision));
        await ledger.HeardAsync(ledger.Runs.Select(run => run.OperationId), second.Id);
        Assert.True(ledger.Runs.First(run => run.OperationId == second.Id).Revision > accepted[Resources.Operation(second.Id)]);
        var cancelled = await ledger.QueryAsync(db => db.Events.SingleAsync(row => row.Type == nameof(OperationCancelled)));
        Assert.True(cancelled.Revision > accepted[cancelled.Resource]);
    }

    [Fact]
    public async Task A_pool_that_is_not_accessible_is_looked_at_every_half_minute_and_that_is_told_once()
    {
        var pool = await ledger.RunningPoolAsync("p");
        for (var i = 0; i < 3; i++)
        {
            var gone = new PoolStateChanged(pool, PoolState.Inaccessible, "the server is away");
            await ledger.ReportAsync(ledger.Event(gone, Resources.Pool(pool)));
            await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
            Assert.Empty(await LiveAsync(pool));
            ledger.Clock.Advance(TimeSpan.FromSeconds(31));
            await ledger.AnnounceAsync();
            await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
            var look = Assert.Single(await LiveAsync(pool));
            Assert.Equal(nameof(RefreshPool), look.Command);
            await ledger.ReportAsync(ledger.Failure(look.Id));
        }
        Assert.Equal(1, await CountAsync(nameof(PoolStateChanged)));
        Assert.Equal(PoolState.Inaccessible, await ledger.QueryAsync(db => db.Pools.Select(row => row.State).SingleAsync()));
    }

    public ValueTask InitializeAsync() => ledger.InitializeAsync();

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private async Task SweepLaterAsync()
    {
        ledger.Clock.Advance(TimeSpan.FromMinutes(2));
        await ledger.AnnounceAsync();
        await Sweep.SendAgainAsync(Cancellation);
    }

    private async Task LaterAsync(TimeSpan by)
    {
        ledger.Clock.Advance(by);
        await ledger.AnnounceAsync();
        await Sweep.AttendPoolsAsync(RefreshEvery, Cancellation);
    }

    private Task RefreshedAsync(Guid pool, bool watched) => ledger.ReportAsync(ledger.Event(
        new PoolRefreshed(pool, new PoolObservation(PoolState.Running, 1000, 400, 600, Watched: watched)), Resources.Pool(pool)));

    private Task<int> CountAsync(string type) => ledger.QueryAsync(db => db.Events.CountAsync(row => row.Type == type));

    private Task<List<OperationRow>> LiveAsync(Guid pool) => ledger.QueryAsync(
        db => db.Operations.Where(row => row.PoolId == pool && row.EndedAt == null).ToListAsync());
}
