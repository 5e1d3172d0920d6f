using Storage.Hosting;
using Xunit;

namespace Storage.Tests.Hosting;

public sealed class ConsumersMissingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly SetTime time = new();
    private readonly ConsumersMissing missing;

    public ConsumersMissingTests() => missing = new ConsumersMissing(time);

    [Fact]
    public void A_queue_that_has_no_consumer_for_the_limit_is_named()
    {
        missing.Seen(["a", "b"]);
        time.Pass(60);
        missing.Seen(["b"]);
        Assert.Null(missing.Longer(Limit));
        time.Pass(30);
        missing.Seen(["a", "b"]);
        Assert.Equal("b", missing.Longer(Limit));
    }

    [Fact]
    public void A_consumer_that_comes_back_is_waited_for_anew()
    {
        missing.Seen(["a"]);
        time.Pass(80);
        missing.Seen([]);
        missing.Seen(["a"]);
        time.Pass(80);
        Assert.Null(missing.Longer(Limit));
    }

    [Fact]
    public void While_the_broker_is_away_nobody_is_missing()
    {
        missing.Seen(["a"]);
        time.Pass(80);
        missing.NotSeen();
        time.Pass(1000);
        Assert.Null(missing.Longer(Limit));
        missing.Seen(["a"]);
        time.Pass(80);
        Assert.Null(missing.Longer(Limit));
    }

    private sealed class SetTime : TimeProvider
    {
        private long seconds;

        public override long TimestampFrequency => 1;

        public void Pass(int more) => seconds += more;

        public override long GetTimestamp() => seconds;
    }
}
