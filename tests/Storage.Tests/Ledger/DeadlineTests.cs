using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Operations that have not begun in time; each test has a ledger of its own, since time is everybody's.</summary>
public sealed class DeadlineTests : IAsyncLifetime
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly LedgerFixture ledger = new();
    private Guid pool;

    [Fact]
    public async Task What_waits_expires_at_its_deadline_and_not_before_and_what_waited_for_it_goes_on()
    {
        var create = await CreateAsync("a");
        var refresh = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()), Minute);
        var after = await CreateAsync("b");
        Assert.Equal(refresh.Deadline, await ExpireAsync());
        Assert.Equal(OperationState.Queued, (await ledger.OperationAsync(refresh.Id)).State);

        ledger.Clock.Advance(Minute);
        Assert.Null(await ExpireAsync());
        var expired = await ledger.OperationAsync(refresh.Id);
        Assert.Equal(OperationState.Expired, expired.State);
        Assert.Contains($"\"{ErrorCodes.Expired}\"", expired.Error, StringComparison.Ordinal);
        Assert.Equal([nameof(OperationExpired)], await ledger.EndsAsync(refresh.Id));
        Assert.False(await ledger.QueryAsync(db => db.Claims.AnyAsync(claim => claim.OperationId == refresh.Id)));
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(after.Id)).State);
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(create.Id)).State);
    }

    [Fact]
    public async Task A_deadline_in_the_past_is_refused_but_not_for_a_command_that_is_known()
    {
        var command = new CreateVolume(Guid.NewGuid(), pool.ToString(), LedgerFixture.Raw("a"));
        var refused = await ledger.RefusedAsync(command, -Minute);
        Assert.Equal((ErrorCodes.Expired, "deadline"), (refused.Code, refused.Field));
        var accepted = await ledger.AcceptAsync(command, Minute);
        var again = await ledger.AcceptAsync(command, -Minute);
        Assert.Equal((accepted.Id, accepted.Deadline), (again.Id, again.Deadline));
    }

    [Fact]
    public async Task What_is_past_its_deadline_when_its_turn_comes_expires_and_is_not_dispatched()
    {
        var create = await CreateAsync("a");
        var refresh = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()), Minute);
        ledger.Clock.Advance(Minute);
        await ledger.ReportAsync(ledger.Success(create.Id));
        Assert.Equal(OperationState.Expired, (await ledger.OperationAsync(refresh.Id)).State);
        await ExpireAsync();
        Assert.Equal([nameof(OperationExpired)], await ledger.EndsAsync(refresh.Id));
    }

    [Fact]
    public async Task A_deadline_survives_the_end_of_the_process()
    {
        await CreateAsync("a");
        var refresh = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()), Minute);
        await ledger.RestartAsync();
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        Assert.Equal(OperationState.Expired, (await ledger.OperationAsync(refresh.Id)).State);
    }

    [Fact]
    public async Task What_its_worker_has_is_asked_for_once_and_expires_when_the_worker_never_ran_it()
    {
        var create = await CreateAsync("a", Minute);
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        await ExpireAsync();
        await ledger.HeardAsync(ledger.Expiries, create.Id);
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(create.Id)).State);
        await ledger.ReportAsync(ledger.Cancelled(create.Id));
        Assert.Equal(OperationState.Expired, (await ledger.OperationAsync(create.Id)).State);
        Assert.Equal([nameof(OperationExpired)], await ledger.EndsAsync(create.Id));
        Assert.Single(ledger.Expiries, create.Id);
    }

    [Fact]
    public async Task What_has_begun_by_its_deadline_goes_on_to_its_own_end()
    {
        var (silent, told) = (await CreateAsync("a", Minute), await CreateAsync("b", Minute));
        await ledger.ReportAsync(ledger.Event(
            new OperationProgressed(told.Id, new OperationProgress(1)), Resources.Operation(told.Id), told.Id));
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        await ledger.HeardAsync(ledger.Expiries, silent.Id);
        Assert.DoesNotContain(told.Id, ledger.Expiries);
        await ledger.ReportAsync(ledger.Success(silent.Id), ledger.Success(told.Id));
        Assert.Equal([nameof(OperationSucceeded)], await ledger.EndsAsync(silent.Id));
        Assert.Equal([nameof(OperationSucceeded)], await ledger.EndsAsync(told.Id));
    }

    [Fact]
    public async Task An_expiry_and_a_cancel_make_one_end_whichever_is_first()
    {
        var running = await CreateAsync("a", Minute);
        var queued = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()), Minute);
        var other = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()), Minute);
        await ledger.AcceptAsync(new CancelOperation(null, queued.Id));
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        Assert.Equal(ErrorCodes.InvalidState, (await ledger.RefusedAsync(new CancelOperation(null, other.Id))).Code);
        await ledger.AcceptAsync(new CancelOperation(null, running.Id));
        await ledger.ReportAsync(ledger.Cancelled(running.Id));
        Assert.Equal([nameof(OperationCancelled)], await ledger.EndsAsync(queued.Id));
        Assert.Equal([nameof(OperationExpired)], await ledger.EndsAsync(other.Id));
        Assert.Equal([nameof(OperationCancelled)], await ledger.EndsAsync(running.Id));
    }

    [Fact]
    public async Task A_report_after_the_expiry_changes_nothing_and_is_logged()
    {
        var create = await CreateAsync("a", Minute);
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        await ledger.ReportAsync(ledger.Cancelled(create.Id));
        await ledger.ReportAsync(ledger.Success(create.Id));
        Assert.Equal(OperationState.Expired, (await ledger.OperationAsync(create.Id)).State);
        Assert.Equal([nameof(OperationExpired)], await ledger.EndsAsync(create.Id));
        Assert.Contains(ledger.Log.Lines, line => line.EventId == 4007 && line.Text.Contains(create.Id.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_sent_again_after_its_deadline_is_asked_for_again()
    {
        var create = await CreateAsync("a", Minute);
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        await ledger.AnnounceAsync(newProcess: true);
        await ledger.HeardAsync(ledger.Expiries, create.Id, times: 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_transient_pool_that_was_not_started_in_time_or_was_cancelled_is_forgotten(bool expires)
    {
        await ledger.LoseWorkerAsync();
        var define = await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("transient"), Transient: true), Minute);
        Assert.Equal(OperationState.Queued, define.State);
        if (!expires)
            await ledger.AcceptAsync(new CancelOperation(null, define.Id));
        ledger.Clock.Advance(Minute);
        await ExpireAsync();
        Assert.False(await ledger.QueryAsync(db => db.Pools.AnyAsync(row => row.Name == "transient")));
    }

    public async ValueTask InitializeAsync()
    {
        await ledger.InitializeAsync();
        pool = await ledger.RunningPoolAsync("p");
    }

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private Task<OperationRow> CreateAsync(string volume, TimeSpan? expiresIn = null) =>
        ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw(volume)), expiresIn);

    private Task<DateTimeOffset?> ExpireAsync() => ledger.Get<LedgerDeadlines>().ExpireAsync(TestContext.Current.CancellationToken);
}
