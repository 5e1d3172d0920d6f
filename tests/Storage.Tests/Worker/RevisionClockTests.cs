using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class RevisionClockTests
{
    [Fact]
    public void Revisions_are_microseconds_and_rise_strictly_whatever_the_clock_does()
    {
        var time = new ManualTime();
        var clock = new RevisionClock(time);
        var first = clock.Next();
        Assert.Equal(time.Now.ToUnixTimeMilliseconds() * 1000, first);
        Assert.Equal(first + 1, clock.Next());
        time.Now -= TimeSpan.FromHours(1);
        Assert.Equal(first + 2, clock.Next());
        clock.Observe(first + 100);
        clock.Observe(first);
        Assert.Equal(first + 101, clock.Next());
    }

    [Fact]
    public void Concurrent_callers_get_different_revisions()
    {
        var clock = new RevisionClock(new ManualTime());
        var revisions = Enumerable.Range(0, 10_000).AsParallel().Select(_ => clock.Next()).ToHashSet();
        Assert.Equal(10_000, revisions.Count);
    }
}
