using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

public sealed class QueueTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task Volumes_of_a_pool_run_side_by_side_and_one_volume_in_order()
    {
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        var first = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var other = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("b")));
        var second = await ledger.AcceptAsync(new DeleteVolume(null, pool.ToString(), "a"));
        Assert.Equal((OperationState.Dispatched, OperationState.Dispatched, OperationState.Queued), (first.State, other.State, second.State));

        await ledger.ReportAsync(
            ledger.Event(new VolumeCreated(pool, LedgerFixture.Raw("a")), Resources.Volume(pool, "a"), first.Id), ledger.Success(first.Id));
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(second.Id)).State);
    }

    [Fact]
    public async Task A_pool_verb_waits_for_everything_in_the_pool_and_everything_after_it_waits()
    {
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var refresh = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()));
        var after = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("b")));
        Assert.Equal((OperationState.Queued, OperationState.Queued), (refresh.State, after.State));

        await ledger.ReportAsync(ledger.Failure(create.Id));
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(refresh.Id)).State);
        Assert.Equal(OperationState.Queued, (await ledger.OperationAsync(after.Id)).State);

        await ledger.ReportAsync(ledger.Success(refresh.Id));
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(after.Id)).State);
    }

    [Fact]
    public async Task A_command_that_waits_is_checked_when_its_turn_comes()
    {
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        var stop = await ledger.AcceptAsync(new StopPool(null, pool.ToString()));
        var late = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var undefine = await ledger.AcceptAsync(new UndefinePool(null, pool.ToString()));
        Assert.Equal(OperationState.Queued, late.State);

        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool), stop.Id), ledger.Success(stop.Id));
        var ended = await ledger.OperationAsync(late.Id);
        Assert.Equal(OperationState.Failed, ended.State);
        Assert.Contains(ErrorCodes.InvalidState, ended.Error, StringComparison.Ordinal);
        Assert.Equal(OperationState.Succeeded, (await ledger.OperationAsync(undefine.Id)).State);
        Assert.False(await ledger.QueryAsync(db => db.Pools.AnyAsync(row => row.Id == pool)));
    }

    [Fact]
    public async Task Two_hundred_creates_at_once_are_all_dispatched()
    {
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        var operations = await Task.WhenAll(Enumerable.Range(0, 200)
            .Select(i => ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw($"v{i}")))));
        Assert.All(operations, operation => Assert.Equal(OperationState.Dispatched, operation.State));
        Assert.Equal(200, operations.Select(operation => operation.Sequence).Distinct().Count());
    }

    [Fact]
    public async Task A_queued_operation_is_cancelled_at_once_and_a_dispatched_one_by_its_worker()
    {
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        var running = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var queued = await ledger.AcceptAsync(new RefreshPool(null, pool.ToString()));
        await ledger.AcceptAsync(new CancelOperation(null, queued.Id));
        await ledger.AcceptAsync(new CancelOperation(null, running.Id));
        Assert.Equal(OperationState.Cancelled, (await ledger.OperationAsync(queued.Id)).State);
        Assert.True((await ledger.OperationAsync(running.Id)).CancelRequested);
        Assert.Equal(ErrorCodes.InvalidState, (await ledger.RefusedAsync(new CancelOperation(null, queued.Id))).Code);
    }
}
