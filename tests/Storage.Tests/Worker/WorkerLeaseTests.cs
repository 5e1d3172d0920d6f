using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>What a worker holds is its own only as long as nobody can have been given it.</summary>
public sealed class WorkerLeaseTests
{
    private readonly StandingTime time = new();

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    [InlineData(7200, true)]
    public void An_announcement_that_was_made_after_its_end_does_not_give_back_what_was_held(int secondsLater, bool isCutOff)
    {
        using var lease = new WorkerLease(time, NullLogger.Instance);
        using var run = new LiveRun(new OperationRun(Guid.NewGuid(), nameof(CreateVolume), null, new JsonElement(), 0, DateTimeOffset.UnixEpoch, Shared: true), resumed: false, CancellationToken.None);
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
