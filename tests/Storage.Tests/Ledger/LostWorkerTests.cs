using Microsoft.EntityFrameworkCore;
using Storage.Api;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Operations for a host whose worker is gone; each test has a ledger of its own, since time is everybody's.</summary>
public sealed class LostWorkerTests : IAsyncLifetime
{
    private readonly LedgerFixture ledger = new();
    private Guid pool;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Operations_of_a_lost_worker_stay_queued_and_say_why()
    {
        await ledger.LoseWorkerAsync();
        var create = await CreateAsync("a");
        await ledger.Get<LedgerSweep>().SendAgainAsync(Cancellation);
        var view = await ViewAsync(create.Id);
        Assert.Equal((OperationState.Queued, 0), (view.State, view.Position));
        Assert.Empty(view.WaitsFor!);
        var since = await ledger.QueryAsync(db => db.Workers.Select(row => row.LastSeenAt).SingleAsync());
        Assert.Equal($"The worker of storage.file.host-a has not been heard since {since:u}.", view.Waiting);
        Assert.Null(view.EstimatedStartAt);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task They_are_dispatched_in_order_when_the_worker_is_back(bool newProcess)
    {
        await ledger.LoseWorkerAsync();
        var (first, second, third) = (await CreateAsync("a"), await ledger.AcceptAsync(new RefreshPool(null, pool.ToString())), await CreateAsync("b"));
        await ledger.AnnounceAsync(newProcess);
        Assert.Equal(
            [OperationState.Dispatched, OperationState.Queued, OperationState.Queued],
            [(await ledger.OperationAsync(first.Id)).State, (await ledger.OperationAsync(second.Id)).State, (await ledger.OperationAsync(third.Id)).State]);
        Assert.Null((await ViewAsync(first.Id)).Waiting);
        Assert.Equal(1, (await ledger.OperationAsync(first.Id)).Sent);
        await ledger.ReportAsync(ledger.Success(first.Id));
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(second.Id)).State);
    }

    [Fact]
    public async Task They_are_cancelled_at_once_and_expire_by_their_deadline()
    {
        await ledger.LoseWorkerAsync();
        var (cancelled, expiring) = (await CreateAsync("a"), await CreateAsync("b", TimeSpan.FromMinutes(1)));
        await ledger.AcceptAsync(new CancelOperation(null, cancelled.Id));
        Assert.Equal(OperationState.Cancelled, (await ledger.OperationAsync(cancelled.Id)).State);
        ledger.Clock.Advance(TimeSpan.FromMinutes(1));
        await ledger.Get<LedgerDeadlines>().ExpireAsync(Cancellation);
        Assert.Equal(OperationState.Expired, (await ledger.OperationAsync(expiring.Id)).State);
        await ledger.AnnounceAsync();
        Assert.Equal(0, await ledger.QueryAsync(db => db.Operations.CountAsync(row => row.EndedAt == null)));
    }

    [Fact]
    public async Task What_needs_no_worker_goes_on_and_what_the_lost_one_had_says_why_it_takes_so_long()
    {
        var running = await CreateAsync("a");
        await ledger.LoseWorkerAsync();
        var define = await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("other")));
        Assert.Equal(OperationState.Succeeded, define.State);
        var view = await ViewAsync(running.Id);
        Assert.Equal(OperationState.Dispatched, view.State);
        Assert.NotNull(view.Waiting);
    }

    [Fact]
    public async Task A_transient_pool_of_a_lost_worker_is_started_when_the_worker_is_back()
    {
        await ledger.LoseWorkerAsync();
        var define = await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("transient"), Transient: true));
        await ledger.AnnounceAsync();
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(define.Id)).State);
    }

    public async ValueTask InitializeAsync()
    {
        await ledger.InitializeAsync();
        pool = await ledger.RunningPoolAsync("p");
    }

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private Task<OperationRow> CreateAsync(string volume, TimeSpan? expiresIn = null) =>
        ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw(volume)), expiresIn);

    private Task<OperationView> ViewAsync(Guid id) => ledger.QueryAsync(async db =>
        await new OperationViews(ledger.Get<UsualDurations>(), ledger.Clock).ViewAsync(db, await db.Operations.SingleAsync(row => row.Id == id), Cancellation));
}
