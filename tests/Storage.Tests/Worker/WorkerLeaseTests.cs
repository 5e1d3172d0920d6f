using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class WorkerLeaseTests
{
    [Fact]
    public async Task A_run_that_is_told_that_its_lease_has_ended_is_cut_off_by_then_whoever_noticed_it_first()
    {
        using var lease = new WorkerLease(TimeProvider.System, NullLogger.Instance);
        var operation = new OperationRun(
            Guid.NewGuid(), nameof(CreateVolume), null, StorageJson.ToElement(new { }), 0, DateTimeOffset.UnixEpoch, Shared: true);
        var runs = new SharedRuns(
            (question, _) => Task.FromResult(new RunHold(question.OperationId, HoldDecision.Granted, LeaseMilliseconds: 60_000)),
            (id, _) => new HoldRun(id, PoolFamily.Network, "host-a", Guid.Empty), lease, new RevisionClock(TimeProvider.System), NullLogger.Instance);
        using var run = new LiveRun(operation, resumed: false, CancellationToken.None);
        lease.Renew(TimeProvider.System.GetTimestamp());
        await runs.HoldAsync(run, TestContext.Current.CancellationToken);
        Assert.True(runs.MayGoOn(run));
        // As the timer does, which has taken the run from those that are held and is about to cut it off.
        lease.Release(run);
        using var other = new LiveRun(operation, resumed: false, CancellationToken.None);
        Assert.True(lease.TryHold(other, TimeSpan.FromMilliseconds(60_000)));
        Assert.False(lease.TryHold(other, TimeSpan.Zero));
        Assert.False(runs.MayGoOn(run));
        Assert.True(run.CutOff);
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    [InlineData(7200, true)]
    public void An_announcement_that_was_made_after_its_end_does_not_give_back_what_was_held(int secondsLater, bool isCutOff)
    {
        var time = new StandingTime();
        using var lease = new WorkerLease(time, NullLogger.Instance);
        var operation = new OperationRun(
            Guid.NewGuid(), nameof(CreateVolume), null, StorageJson.ToElement(new { }), 0, DateTimeOffset.UnixEpoch, Shared: true);
        using var run = new LiveRun(operation, resumed: false, CancellationToken.None);
        lease.Renew(time.GetTimestamp());
        Assert.True(lease.TryHold(run, TimeSpan.FromSeconds(10)));
        time.Now += secondsLater * TimeSpan.TicksPerSecond;
        lease.Renew(time.GetTimestamp());
        Assert.Equal(isCutOff, run.Fenced);
        // The new one holds.
        Assert.True(lease.Check());
    }

    private sealed class StandingTime : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
