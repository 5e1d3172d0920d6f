using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

public sealed class QueueOrderTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task A_clone_holds_up_both_pools_and_its_source()
    {
        var (from, to) = (await PoolAsync("a"), await PoolAsync());
        var clone = await CloneAsync(to, "b", from);
        var (stopFrom, stopTo, delete) = (await ledger.AcceptAsync(new RefreshPool(null, from)), await ledger.AcceptAsync(new RefreshPool(null, to)),
            await ledger.AcceptAsync(new DeleteVolume(null, from, "a")));
        await StatesAsync((clone, OperationState.Dispatched), (stopFrom, OperationState.Queued), (stopTo, OperationState.Queued), (delete, OperationState.Queued));
        await ledger.ReportAsync(ledger.Success(clone.Id));
        await StatesAsync((stopFrom, OperationState.Dispatched), (stopTo, OperationState.Dispatched), (delete, OperationState.Queued));
    }

    [Fact]
    public async Task A_source_is_read_by_many_at_once_and_written_by_nobody_meanwhile()
    {
        var pool = await PoolAsync("a");
        var (one, two) = (await CloneAsync(pool, "b", pool), await CloneAsync(pool, "c", pool));
        var refresh = await ledger.AcceptAsync(new RefreshVolume(null, pool, "a"));
        await StatesAsync((one, OperationState.Dispatched), (two, OperationState.Dispatched), (refresh, OperationState.Queued));
        await ledger.ReportAsync(ledger.Success(one.Id));
        await StatesAsync((refresh, OperationState.Queued));
        await ledger.ReportAsync(ledger.Success(two.Id));
        await StatesAsync((refresh, OperationState.Dispatched));
    }

    [Fact]
    public async Task Clones_between_two_pools_in_both_directions_all_come_to_their_end()
    {
        var (one, two) = (await PoolAsync("a"), await PoolAsync("a"));
        var open = new List<OperationRow>();
        for (var i = 0; i < 5; i++)
        {
            open.Add(await ledger.AcceptAsync(new RefreshPool(null, one)));
            open.Add(await CloneAsync(one, $"b{i}", two));
            open.Add(await CloneAsync(two, $"b{i}", one));
            open.Add(await ledger.AcceptAsync(new RefreshPool(null, two)));
        }
        while (open.Count > 0)
        {
            var states = await Task.WhenAll(open.Select(async operation => (operation, (await ledger.OperationAsync(operation.Id)).State)));
            var running = states.Where(row => row.State == OperationState.Dispatched).Select(row => row.operation).ToList();
            Assert.NotEmpty(running);
            await ledger.ReportAsync([.. running.Select(operation => ledger.Success(operation.Id))]);
            open = [.. open.Except(running)];
        }
    }

    [Fact]
    public async Task A_cancelled_one_in_the_middle_lets_the_next_go_on_and_keeps_the_others_waiting()
    {
        var pool = await PoolAsync("a", "b");
        var first = await ledger.AcceptAsync(new RefreshVolume(null, pool, "a"));
        var middle = await ledger.AcceptAsync(new RefreshPool(null, pool));
        var (same, other) = (await ledger.AcceptAsync(new RefreshVolume(null, pool, "a")), await ledger.AcceptAsync(new RefreshVolume(null, pool, "b")));
        await StatesAsync((middle, OperationState.Queued), (same, OperationState.Queued), (other, OperationState.Queued));
        await ledger.AcceptAsync(new CancelOperation(null, middle.Id));
        await StatesAsync((same, OperationState.Queued), (other, OperationState.Dispatched));
        await ledger.ReportAsync(ledger.Success(first.Id));
        await StatesAsync((same, OperationState.Dispatched));
    }

    [Fact]
    public async Task A_pool_verb_is_not_starved_by_a_stream_of_volume_commands()
    {
        var pool = await PoolAsync("a", "b");
        var first = await ledger.AcceptAsync(new RefreshVolume(null, pool, "a"));
        var verb = await ledger.AcceptAsync(new RefreshPool(null, pool));
        var stream = new List<OperationRow>();
        for (var i = 0; i < 20; i++)
            stream.Add(await ledger.AcceptAsync(new RefreshVolume(null, pool, i % 2 == 0 ? "a" : "b")));
        await StatesAsync([.. stream.Select(operation => (operation, OperationState.Queued))]);
        await ledger.ReportAsync(ledger.Success(first.Id));
        await StatesAsync((verb, OperationState.Dispatched), (stream[0], OperationState.Queued));
        await ledger.ReportAsync(ledger.Success(verb.Id));
        await StatesAsync((stream[0], OperationState.Dispatched), (stream[1], OperationState.Dispatched), (stream[2], OperationState.Queued));
    }

    private async Task<string> PoolAsync(params string[] volumes)
    {
        ledger.Operations = ["Build", "Delete", "CreateVolume", "CloneVolume", "DeleteVolume"];
        await ledger.AnnounceAsync();
        var pool = await ledger.RunningPoolAsync(Guid.NewGuid().ToString());
        foreach (var volume in volumes)
            await ledger.ReportAsync(ledger.Event(new VolumeAppeared(pool, LedgerFixture.Raw(volume)), Resources.Volume(pool, volume)));
        return pool.ToString();
    }

    private Task<OperationRow> CloneAsync(string pool, string volume, string from) =>
        ledger.AcceptAsync(new CloneVolume(null, pool, LedgerFixture.Raw(volume), "a", from));

    private async Task StatesAsync(params (OperationRow Operation, OperationState State)[] expected) => Assert.Equal(
        expected.Select(pair => pair.State), await Task.WhenAll(expected.Select(async pair => (await ledger.OperationAsync(pair.Operation.Id)).State)));
}
