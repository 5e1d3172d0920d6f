using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

public sealed class ProjectionTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task A_report_that_comes_twice_changes_nothing_the_second_time()
    {
        var pool = await ledger.RunningPoolAsync("twice");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        StorageEvent[] report = [ledger.Event(new VolumeCreated(pool, LedgerFixture.Raw("a")), Resources.Volume(pool, "a"), create.Id), ledger.Success(create.Id)];
        await ledger.ReportAsync(report);
        var events = await ledger.QueryAsync(db => db.Events.CountAsync());
        await ledger.ReportAsync(report);
        await ledger.ReportAsync(ledger.Failure(create.Id));
        Assert.Equal(events, await ledger.QueryAsync(db => db.Events.CountAsync()));
        Assert.Equal(OperationState.Succeeded, (await ledger.OperationAsync(create.Id)).State);
    }

    [Fact]
    public async Task Progress_that_comes_twice_is_logged_once_and_shows_the_operation_running()
    {
        var pool = await ledger.RunningPoolAsync("progress");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var progress = ledger.Event(new OperationProgressed(create.Id, new OperationProgress(50)), Resources.Operation(create.Id), create.Id);
        await ledger.ReportAsync(progress);
        await ledger.ReportAsync(progress);
        Assert.Equal(1, await ledger.QueryAsync(db => db.Events.CountAsync(row => row.EventId == progress.EventId)));
        Assert.Equal(OperationState.Running, (await ledger.OperationAsync(create.Id)).State);
    }

    [Fact]
    public async Task A_late_event_does_not_bring_a_deleted_volume_back()
    {
        var pool = await ledger.RunningPoolAsync("late");
        var early = ledger.Event(new VolumeCreated(pool, LedgerFixture.Raw("a")), Resources.Volume(pool, "a"));
        await ledger.ReportAsync(ledger.Event(new VolumeDeleted(pool, "a"), Resources.Volume(pool, "a")));
        await ledger.ReportAsync(early);
        Assert.Empty(await VolumesAsync(pool));
    }

    [Fact]
    public async Task What_is_told_of_a_pools_space_is_shown_until_it_stops_and_is_no_look_at_its_volumes()
    {
        var pool = await ledger.RunningPoolAsync("space");
        var before = await RowAsync();
        await ledger.ReportAsync(ledger.Event(new PoolSpaceChanged(pool, 100, 30, 70), Resources.Pool(pool)));
        var after = await RowAsync();
        Assert.Equal((100, 30, 70, before.ObservedAt), (after.Capacity, after.Allocation, after.Available, after.ObservedAt));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool)));
        await ledger.ReportAsync(ledger.Event(new PoolSpaceChanged(pool, 500, 1, 499), Resources.Pool(pool)));
        Assert.Equal(100, (await RowAsync()).Capacity);

        Task<PoolRow> RowAsync() => ledger.QueryAsync(db => db.Pools.AsNoTracking().SingleAsync(row => row.Id == pool));
    }

    [Fact]
    public async Task Parts_of_a_refresh_show_what_appeared_changed_and_vanished_in_any_order()
    {
        var pool = await ledger.RunningPoolAsync("refreshed");
        await ledger.ReportAsync(Part(pool, null, null, "a", "b", "m", "z"));
        Assert.Equal(["a", "b", "m", "z"], await VolumesAsync(pool));
        var from = await ledger.QueryAsync(db => db.Events.MaxAsync(row => row.Sequence));

        var last = Part(pool, "m", null, "y");
        var first = Part(pool, null, "m", "a", "c", "m");
        await ledger.ReportAsync(last, first, first with { EventId = Guid.NewGuid() });
        Assert.Equal(["a", "c", "m", "y"], await VolumesAsync(pool));
        var told = await ledger.QueryAsync(db => db.Events.Where(row => row.Sequence > from).Select(row => row.Type).ToListAsync());
        Assert.Equal(["VolumeAppeared", "VolumeAppeared", "VolumeVanished", "VolumeVanished"], told.Order());

        var grown = new VolumesObserved(pool, null, "a", [LedgerFixture.Raw("a") with { Allocation = 4096 }]);
        await ledger.ReportAsync(ledger.Event(grown, Resources.Pool(pool)));
        Assert.Equal(4096, await ledger.QueryAsync(db => db.Volumes.Where(row => row.PoolId == pool && row.Name == "a").Select(row => row.Allocation).SingleAsync()));
    }

    [Fact]
    public async Task The_log_has_no_gaps_and_tables_rebuilt_from_it_equal_the_live_ones()
    {
        var pool = await ledger.RunningPoolAsync("rebuilt");
        await ledger.AcceptAsync(new SetPoolAutostart(null, pool.ToString(), true));
        await ledger.ReportAsync(Part(pool, null, null, "a", "b", "é", "\U0001F4BE"));
        await ledger.ReportAsync(ledger.Event(new VolumeDeleted(pool, "b"), Resources.Volume(pool, "b")));
        var gone = await ledger.RunningPoolAsync("rebuilt-gone");
        var stop = await ledger.AcceptAsync(new StopPool(null, gone.ToString()));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(gone), Resources.Pool(gone), stop.Id), ledger.Success(stop.Id));
        await ledger.AcceptAsync(new UndefinePool(null, gone.ToString()));

        var live = await SnapshotAsync();
        await ledger.Get<LedgerRebuild>().RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(live, await SnapshotAsync());
        var sequences = await ledger.QueryAsync(db => db.Events.OrderBy(row => row.Sequence).Select(row => row.Sequence).ToListAsync());
        Assert.Equal(Enumerable.Range(1, sequences.Count).Select(i => (long)i), sequences);
    }

    [Fact]
    public async Task A_worker_is_logged_once_however_often_it_says_that_it_is_there()
    {
        await ledger.AnnounceAsync();
        var before = await ledger.QueryAsync(db => db.Events.CountAsync(row => row.Type == nameof(WorkerAnnounced)));
        await ledger.AnnounceAsync();
        Assert.Equal(before, await ledger.QueryAsync(db => db.Events.CountAsync(row => row.Type == nameof(WorkerAnnounced))));
    }

    [Fact]
    public async Task Waiting_for_an_operation_ends_with_it()
    {
        var pool = await ledger.RunningPoolAsync("awaited");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var feed = ledger.Get<EventFeed>();
        var early = await feed.WaitForEndAsync(create.Id, TimeSpan.FromMilliseconds(1), TestContext.Current.CancellationToken);
        Assert.Equal(OperationState.Dispatched, early.State);
        var waiting = feed.WaitForEndAsync(create.Id, TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await ledger.ReportAsync(ledger.Failure(create.Id));
        Assert.Equal(OperationState.Failed, (await waiting).State);
    }

    private StorageEvent Part(Guid pool, string? after, string? through, params string[] names) => ledger.Event(
        new VolumesObserved(pool, after, through, [.. names.Select(LedgerFixture.Raw)]), Resources.Pool(pool));

    private Task<List<string>> VolumesAsync(Guid pool) => ledger.QueryAsync(
        db => db.Volumes.Where(row => row.PoolId == pool && !row.Removed).OrderBy(row => row.Name).Select(row => row.Name).ToListAsync());

    private Task<string> SnapshotAsync() => ledger.QueryAsync(async db => StorageJson.ToElement(new
    {
        Pools = await db.Pools.AsNoTracking().OrderBy(row => row.Id).ToListAsync(),
        Volumes = await db.Volumes.AsNoTracking().OrderBy(row => row.PoolId).ThenBy(row => row.Name).ToListAsync(),
        Workers = (await db.Workers.AsNoTracking().ToListAsync()).Select(row => row.Announcement),
    }).GetRawText());
}
