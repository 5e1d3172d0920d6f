using Microsoft.EntityFrameworkCore;
using Storage.Api;
using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Who of the replicas runs what any of them may run; each test has a ledger of its own, since time is everybody's.</summary>
public sealed class RunHoldTests : IAsyncLifetime
{
    private static readonly string Shared = Queues.Worker(PoolFamily.Network);

    private readonly LedgerFixture ledger = new();
    private readonly Replica a;
    private readonly Replica b;
    private Guid pool;

    public RunHoldTests() => (a, b) = (new Replica(ledger, "host-a"), new Replica(ledger, "host-b"));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_that_asks_holds_it_for_as_long_as_it_lives()
    {
        var create = await CreateAsync("v");
        Assert.Equal([Shared], await ledger.HeardByReplicasAsync(sent => sent is OperationRun { Shared: true } run && run.OperationId == create.Id));
        Assert.Equal(HoldDecision.Granted, await a.DecisionAsync(create.Id));
        Assert.Equal(HoldDecision.Granted, await a.DecisionAsync(create.Id));
        Assert.Equal(HoldDecision.Moved, await b.DecisionAsync(create.Id));
        Assert.False((await a.AskAsync(create.Id)).Resumed);
        Assert.Equal("host-a", (await ViewAsync(create.Id)).Worker);
    }

    [Fact]
    public async Task What_a_lost_one_holds_goes_to_the_one_that_asks_and_stays_there()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        await LoseAsync(a);
        var hold = await b.AskAsync(create.Id);
        Assert.Equal((HoldDecision.Granted, true), (hold.Decision, hold.Resumed));
        Assert.Equal("host-b", (await ViewAsync(create.Id)).Worker);
        await a.AnnounceAsync();
        Assert.Equal(HoldDecision.Moved, await a.DecisionAsync(create.Id));
        Assert.True((await b.AskAsync(create.Id)).Resumed);
    }

    [Fact]
    public async Task What_a_holder_has_worked_out_is_given_to_the_next_one_and_nobody_else_changes_it()
    {
        var create = await CreateAsync("v");
        Assert.Null((await a.AskAsync(create.Id)).Plan);
        Assert.Equal("of a", (await a.AskAsync(create.Id, "of a")).Plan);
        await LoseAsync(a);
        Assert.Equal("of a", (await b.AskAsync(create.Id)).Plan);
        await a.AnnounceAsync();
        Assert.Equal(HoldDecision.Moved, (await a.AskAsync(create.Id, "of a, too late")).Decision);
        Assert.Equal("of a", (await b.AskAsync(create.Id)).Plan);
        await b.ReportAsync(b.Success(create.Id));
        Assert.Null((await ledger.OperationAsync(create.Id)).Plan);
    }

    [Fact]
    public async Task A_lost_one_that_comes_back_before_another_asked_keeps_it()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        await LoseAsync(a);
        Assert.Equal(HoldDecision.Wait, await a.DecisionAsync(create.Id));
        await a.AnnounceAsync();
        var hold = await a.AskAsync(create.Id);
        Assert.Equal((HoldDecision.Granted, false), (hold.Decision, hold.Resumed));
        Assert.Equal(HoldDecision.Moved, await b.DecisionAsync(create.Id));
    }

    [Fact]
    public async Task Who_has_not_announced_itself_waits()
    {
        var create = await CreateAsync("v");
        Assert.Equal(HoldDecision.Wait, await new Replica(ledger, "host-c").DecisionAsync(create.Id));
        Assert.Equal(HoldDecision.Wait, await new Replica(ledger, "host-a").DecisionAsync(create.Id));
        Assert.Null((await ledger.OperationAsync(create.Id)).Worker);
    }

    [Fact]
    public async Task Another_process_of_the_same_host_may_have_lost_its_journal_and_resumes()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        await a.RestartAsync();
        var hold = await a.AskAsync(create.Id);
        Assert.Equal((HoldDecision.Granted, true), (hold.Decision, hold.Resumed));
        // It is sent what it held.
        Assert.Equal([Shared, $"{Shared}.host-a"], await ledger.HeardByReplicasAsync(sent => sent is OperationRun run && run.OperationId == create.Id, 2));
    }

    [Fact]
    public async Task What_has_ended_or_is_not_known_is_run_by_nobody()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        await a.ReportAsync(a.Success(create.Id));
        Assert.Equal(HoldDecision.Ended, await a.DecisionAsync(create.Id));
        Assert.Equal(HoldDecision.Ended, await b.DecisionAsync(Guid.NewGuid()));
    }

    [Fact]
    public async Task What_one_host_may_run_is_granted_to_its_worker_until_it_has_ended()
    {
        var local = await ledger.RunningPoolAsync("local");
        var create = await ledger.AcceptAsync(new CreateVolume(null, local.ToString(), LedgerFixture.Raw("a")));
        Assert.Equal(HoldDecision.Granted, await ledger.AskAsync(create.Id));
        Assert.Equal(HoldDecision.Ended, await ledger.AskAsync(create.Id, "host-b"));
        var queue = (await ledger.OperationAsync(create.Id)).HolderQueue;
        Assert.Equal(Queues.Worker(PoolFamily.File, LedgerFixture.Host), queue);
        await ledger.ReportAsync(ledger.Success(create.Id));
        Assert.Equal(HoldDecision.Ended, await ledger.AskAsync(create.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_sweep_sends_what_a_lost_one_holds_to_the_others_once_and_what_a_living_one_holds_to_itself(bool told)
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        if (told)
            await a.ReportAsync(a.Progress(create.Id));
        ledger.Clock.Advance(TimeSpan.FromSeconds(31));
        await Task.WhenAll(a.AnnounceAsync(), b.AnnounceAsync());
        await SweepAsync();
        Assert.Equal([Shared, $"{Shared}.host-a"], await SentAsync(create.Id, 2));
        await LoseAsync(a);
        await SweepAsync();
        await SweepAsync();
        Assert.Equal([Shared, $"{Shared}.host-a", Shared], await SentAsync(create.Id, 3));
        Assert.Equal(3, (await ledger.OperationAsync(create.Id)).Sent);
    }

    [Fact]
    public async Task Nobody_is_sent_what_a_lost_one_holds_while_no_other_lives()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        ledger.Clock.Advance(WorkerAnnouncement.LostAfter * 2);
        await ledger.Get<LedgerSweep>().WatchWorkersAsync(Cancellation);
        await SweepAsync();
        Assert.Equal(1, (await ledger.OperationAsync(create.Id)).Sent);
        Assert.Contains("host-a has not been heard", (await ViewAsync(create.Id)).Waiting, StringComparison.Ordinal);
        await b.AnnounceAsync();
        await SweepAsync();
        Assert.Equal([Shared, Shared], await SentAsync(create.Id, 2));
    }

    [Fact]
    public async Task A_cancel_ends_at_once_what_nobody_holds()
    {
        var create = await CreateAsync("v");
        await CancelAsync(create.Id);
        Assert.Equal([nameof(OperationCancelled)], await ledger.EndsAsync(create.Id));
        Assert.Equal(HoldDecision.Ended, await a.DecisionAsync(create.Id));
    }

    [Fact]
    public async Task A_cancel_goes_to_the_holder_and_is_told_to_whoever_holds_it_next()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        await CancelAsync(create.Id);
        Assert.Equal([$"{Shared}.host-a"], await ledger.HeardByReplicasAsync(sent => sent is CancelRun));
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(create.Id)).State);
        await LoseAsync(a);
        var hold = await b.AskAsync(create.Id);
        Assert.Equal((true, true), (hold.Resumed, hold.Cancelled));
        await b.ReportAsync(b.Cancelled(create.Id));
        Assert.Equal([nameof(OperationCancelled)], await ledger.EndsAsync(create.Id));
    }

    [Fact]
    public async Task A_deadline_ends_what_nobody_holds_and_goes_to_the_holder_of_what_is_held()
    {
        var (free, held) = (await CreateAsync("free", TimeSpan.FromSeconds(5)), await CreateAsync("held", TimeSpan.FromSeconds(5)));
        await b.AskAsync(held.Id);
        ledger.Clock.Advance(TimeSpan.FromSeconds(5));
        await ledger.Get<LedgerDeadlines>().ExpireAsync(Cancellation);
        Assert.Equal([nameof(OperationExpired)], await ledger.EndsAsync(free.Id));
        Assert.Equal([$"{Shared}.host-b"], await ledger.HeardByReplicasAsync(sent => sent is ExpireRun expire && expire.OperationId == held.Id));
        Assert.Empty(await ledger.EndsAsync(held.Id));
    }

    [Fact]
    public async Task The_end_comes_from_the_holder_alone_and_what_the_one_before_it_did_is_kept()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        await LoseAsync(a);
        await b.AskAsync(create.Id);
        await a.AnnounceAsync();
        await a.ReportAsync(
            a.Event(new VolumeCreated(pool, LedgerFixture.Raw("v")), Resources.Volume(pool, "v"), create.Id), a.Success(create.Id));
        Assert.Empty(await ledger.EndsAsync(create.Id));
        Assert.True(await ledger.QueryAsync(db => db.Volumes.AnyAsync(row => row.PoolId == pool && row.Name == "v")));
        await b.ReportAsync(b.Success(create.Id));
        await a.ReportAsync(a.Success(create.Id));
        Assert.Equal([nameof(OperationSucceeded)], await ledger.EndsAsync(create.Id));
    }

    [Fact]
    public async Task A_hold_has_a_revision_above_what_a_replica_with_a_fast_clock_gave()
    {
        var create = await CreateAsync("v");
        await a.AskAsync(create.Id);
        var created = a.Event(new VolumeCreated(pool, LedgerFixture.Raw("v")), Resources.Volume(pool, "v"), create.Id);
        created = created with { Revision = created.Revision + Revisions.At(DateTimeOffset.UnixEpoch.AddDays(1)) };
        await a.ReportAsync(created, a.Success(create.Id));
        var delete = await ledger.AcceptAsync(new DeleteVolume(null, pool.ToString(), "v"));
        Assert.True((await b.AskAsync(delete.Id)).Revision >= created.Revision);
    }

    [Fact]
    public async Task Without_a_living_worker_a_command_stays_in_line_and_says_why_and_without_any_it_is_refused()
    {
        ledger.Clock.Advance(WorkerAnnouncement.LostAfter * 2);
        await ledger.Get<LedgerSweep>().WatchWorkersAsync(Cancellation);
        var create = await CreateAsync("v");
        Assert.Equal(OperationState.Queued, create.State);
        Assert.Contains("storage.network has not been heard", (await ViewAsync(create.Id)).Waiting, StringComparison.Ordinal);
        await b.AnnounceAsync();
        Assert.Equal(OperationState.Dispatched, (await ledger.OperationAsync(create.Id)).State);
        await using var empty = new LedgerFixture();
        await empty.InitializeAsync();
        await empty.AcceptAsync(new DefinePool(null, Rbd));
        Assert.Equal(ErrorCodes.Unavailable, (await empty.RefusedAsync(new StartPool(null, "cluster"))).Code);
    }

    public async ValueTask InitializeAsync()
    {
        await ledger.InitializeAsync();
        await Task.WhenAll(a.AnnounceAsync(), b.AnnounceAsync());
        pool = (await ledger.AcceptAsync(new DefinePool(null, Rbd))).PoolId!.Value;
        var start = await ledger.AcceptAsync(new StartPool(null, "cluster"));
        await a.AskAsync(start.Id);
        await a.ReportAsync(
            a.Event(new PoolStarted(pool, new PoolObservation(PoolState.Running, 1000, 400, 600)), Resources.Pool(pool), start.Id), a.Success(start.Id));
        Assert.Equal(OperationState.Succeeded, (await ledger.OperationAsync(start.Id)).State);
    }

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private static PoolDefinition Rbd => new()
    {
        Type = PoolType.Rbd,
        Name = "cluster",
        Source = new PoolSource { Name = "rbd", Hosts = [new SourceHost("monitor")] },
    };

    private Task<OperationRow> CreateAsync(string volume, TimeSpan? expiresIn = null) =>
        ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw(volume)), expiresIn);

    private Task<OperationRow> CancelAsync(Guid operation) => ledger.AcceptAsync(new CancelOperation(null, operation));

    private Task SweepAsync() => ledger.Get<LedgerSweep>().SendAgainAsync(Cancellation);

    private Task<IReadOnlyList<string>> SentAsync(Guid operation, int times) =>
        ledger.HeardByReplicasAsync(sent => sent is OperationRun run && run.OperationId == operation, times);

    /// <summary>Time passes in which only the others say that they are there.</summary>
    private async Task LoseAsync(Replica lost)
    {
        ledger.Clock.Advance(WorkerAnnouncement.LostAfter + TimeSpan.FromSeconds(1));
        await (lost == a ? b : a).AnnounceAsync();
        await ledger.Get<LedgerSweep>().WatchWorkersAsync(Cancellation);
    }

    private Task<OperationView> ViewAsync(Guid id) => ledger.QueryAsync(async db =>
        await new OperationViews(ledger.Get<UsualDurations>(), ledger.Clock).ViewAsync(db, await db.Operations.SingleAsync(row => row.Id == id), Cancellation));
}
