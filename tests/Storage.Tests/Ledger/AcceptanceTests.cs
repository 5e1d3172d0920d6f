using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests.Ledger;

public sealed class AcceptanceTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task The_same_command_twice_is_one_operation()
    {
        var pool = await ledger.RunningPoolAsync("idempotent");
        var command = new CreateVolume(Guid.NewGuid(), pool.ToString(), LedgerFixture.Raw("a"));
        var twice = await Task.WhenAll(ledger.AcceptAsync(command), ledger.AcceptAsync(command));
        var again = await ledger.AcceptAsync(command);
        Assert.All([.. twice, again], operation => Assert.Equal(command.CommandId, operation.Id));
        Assert.Equal(1, await ledger.QueryAsync(db => db.Operations.CountAsync(row => row.Id == command.CommandId)));
    }

    [Fact]
    public async Task Another_command_under_the_same_id_is_refused()
    {
        var pool = await ledger.RunningPoolAsync("mismatch");
        var command = new CreateVolume(Guid.NewGuid(), pool.ToString(), LedgerFixture.Raw("a"));
        await ledger.AcceptAsync(command);
        var error = await ledger.RefusedAsync(command with { Volume = LedgerFixture.Raw("b") });
        Assert.Equal(ErrorCodes.IdempotencyMismatch, error.Code);
    }

    [Fact]
    public async Task What_a_type_or_host_cannot_do_is_refused_before_it_is_accepted()
    {
        var pool = (await ledger.RunningPoolAsync("capable")).ToString();
        Assert.Equal(ErrorCodes.Unavailable, (await ledger.RefusedAsync(new CloneVolume(null, pool, LedgerFixture.Raw("b"), "a"))).Code);
        var format = await ledger.RefusedAsync(new CreateVolume(null, pool, LedgerFixture.Raw("a") with { Format = "qcow2" }));
        Assert.Equal((ErrorCodes.Unavailable, "volume.format"), (format.Code, format.Field));
        Assert.Contains("qemu-img is not installed", format.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.Unsupported, (await ledger.RefusedAsync(new FindPoolSources(null, PoolType.Dir))).Code);
    }

    [Fact]
    public async Task A_pool_is_refused_in_the_states_in_which_libvirt_refuses_it()
    {
        var pool = (await ledger.RunningPoolAsync("states")).ToString();
        foreach (ICommand command in new ICommand[] { new StartPool(null, pool), new BuildPool(null, pool), new DeletePool(null, pool), new UndefinePool(null, pool) })
            Assert.Equal(ErrorCodes.InvalidState, (await ledger.RefusedAsync(command)).Code);
        var stopped = (await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("stopped")))).PoolId.ToString()!;
        foreach (ICommand command in new ICommand[]
        {
            new StopPool(null, stopped), new RefreshPool(null, stopped), new CreateVolume(null, stopped, LedgerFixture.Raw("a")), new DeleteVolume(null, stopped, "a"),
            new CreateVolumes(null, stopped, [LedgerFixture.Raw("a")]), new CloneVolume(null, stopped, LedgerFixture.Raw("b"), "a"),
            new ResizeVolume(null, stopped, "a", 1), new WipeVolume(null, stopped, "a"), new RefreshVolume(null, stopped, "a"),
            new DeleteVolumes(null, stopped, ["a"]),
            new DefinePool(null, LedgerFixture.Dir("stopped"), Transient: true), new DefinePool(null, LedgerFixture.Dir("states"), Transient: true),
        })
            Assert.Equal(ErrorCodes.InvalidState, (await ledger.RefusedAsync(command)).Code);
    }

    [Fact]
    public async Task Unknown_things_are_refused_by_name()
    {
        Assert.Equal((ErrorCodes.PoolNotFound, "pool"), CodeAndField(await ledger.RefusedAsync(new StartPool(null, "nowhere"))));
        Assert.Equal((ErrorCodes.UnknownHost, "host"), CodeAndField(await ledger.RefusedAsync(new DefinePool(null, LedgerFixture.Dir("x"), "mars"))));
        var pool = (await ledger.RunningPoolAsync("unknowns")).ToString();
        Assert.Equal((ErrorCodes.VolumeNotFound, "volume"), CodeAndField(await ledger.RefusedAsync(new DeleteVolume(null, pool, "a"))));
    }

    [Fact]
    public async Task Duplicates_are_refused_under_libvirts_rules()
    {
        var uuid = Guid.NewGuid();
        await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("one") with { Uuid = uuid }));
        Assert.Equal(ErrorCodes.PoolExists, (await ledger.RefusedAsync(new DefinePool(null, LedgerFixture.Dir("one") with { Uuid = Guid.NewGuid() }))).Code);
        Assert.Equal(ErrorCodes.PoolExists, (await ledger.RefusedAsync(new DefinePool(null, LedgerFixture.Dir("two") with { Uuid = uuid }))).Code);
        var clash = await ledger.RefusedAsync(new DefinePool(null, LedgerFixture.Dir("one") with { Name = "three" }));
        Assert.Equal((ErrorCodes.SourceConflict, "definition.target.path"), CodeAndField(clash));
        Assert.Equal(Resources.Pool(uuid), clash.Resource);
    }

    [Fact]
    public async Task An_active_pool_takes_up_a_new_definition_when_it_stops()
    {
        var pool = await ledger.RunningPoolAsync("redefined");
        await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("redefined") with { Target = new PoolTarget { Path = "/srv/elsewhere" } }));
        var row = await ledger.QueryAsync(db => db.Pools.SingleAsync(row => row.Id == pool));
        Assert.Contains("/srv/redefined", row.Definition, StringComparison.Ordinal);
        var stop = await ledger.AcceptAsync(new StopPool(null, pool.ToString()));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool), stop.Id), ledger.Success(stop.Id));
        row = await ledger.QueryAsync(db => db.Pools.SingleAsync(row => row.Id == pool));
        Assert.Contains("/srv/elsewhere", row.Definition, StringComparison.Ordinal);
        Assert.Equal(2, row.Version);
    }

    [Fact]
    public async Task A_definition_with_another_expected_version_is_refused()
    {
        await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("versioned"), ExpectedVersion: 0));
        Assert.Equal(ErrorCodes.VersionMismatch, (await ledger.RefusedAsync(new DefinePool(null, LedgerFixture.Dir("versioned"), ExpectedVersion: 7))).Code);
        await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("versioned"), ExpectedVersion: 1));
    }

    [Fact]
    public async Task A_transient_pool_is_forgotten_when_it_stops_or_does_not_start()
    {
        var define = await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("transient"), Transient: true));
        var pool = define.PoolId!.Value;
        Assert.Equal(OperationState.Dispatched, define.State);
        await ledger.ReportAsync(ledger.Event(
            new PoolStarted(pool, new PoolObservation(PoolState.Running, 1, 0, 1)), Resources.Pool(pool), define.Id), ledger.Success(define.Id));
        Assert.Equal(ErrorCodes.InvalidState, (await ledger.RefusedAsync(new SetPoolAutostart(null, "transient", true))).Code);
        var stop = await ledger.AcceptAsync(new StopPool(null, "transient"));
        await ledger.ReportAsync(ledger.Event(new PoolStopped(pool), Resources.Pool(pool), stop.Id), ledger.Success(stop.Id));
        Assert.Equal(ErrorCodes.PoolNotFound, (await ledger.RefusedAsync(new StartPool(null, "transient"))).Code);

        var failed = await ledger.AcceptAsync(new DefinePool(null, LedgerFixture.Dir("transient"), Transient: true));
        await ledger.ReportAsync(ledger.Failure(failed.Id));
        Assert.Equal(ErrorCodes.PoolNotFound, (await ledger.RefusedAsync(new StartPool(null, "transient"))).Code);
    }

    private static (string, string?) CodeAndField(StorageError error) => (error.Code, error.Field);
}
