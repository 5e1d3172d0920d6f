namespace Storage.Worker;

/// <summary>Notices that a tool does nothing any more: for a while it printed nothing, read and wrote nothing and used no processor.</summary>
internal sealed class StallWatch : IDisposable
{
    private const int LooksPerLimit = 6;

    private readonly ToolSession session;
    private readonly TimeSpan limit;
    private readonly Func<long> printed;
    private readonly Action onStall;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private (long Printed, string Life) seen;
    private long since;
    private bool over;

    /// <param name="session">The tool.</param>
    /// <param name="limit">How long it may do nothing; null for ever.</param>
    /// <param name="printed">How much it has printed.</param>
    /// <param name="onStall">Called once, when it has done nothing for so long.</param>
    public StallWatch(ToolSession session, TimeSpan? limit, Func<long> printed, Action onStall)
    {
        this.session = session;
        this.limit = limit ?? Timeout.InfiniteTimeSpan;
        this.printed = printed;
        this.onStall = onStall;
        since = TimeProvider.System.GetTimestamp();
        var period = limit / LooksPerLimit ?? Timeout.InfiniteTimeSpan;
        timer = TimeProvider.System.CreateTimer(_ => Look(), null, period, period);
    }

    /// <summary>For how long the tool had done nothing when it was noticed; null where it was not.</summary>
    public TimeSpan? Stalled { get; private set; }

    /// <summary>Afterwards nothing is called any more.</summary>
    public void Dispose()
    {
        lock (gate)
            over = true;
        timer.Dispose();
    }

    private void Look()
    {
        lock (gate)
        {
            if (over)
                return;
            var now = (printed(), session.SignOfLife());
            if (now != seen)
            {
                (seen, since) = (now, TimeProvider.System.GetTimestamp());
                return;
            }
            var silence = TimeProvider.System.GetElapsedTime(since);
            if (silence < limit)
                return;
            over = true;
            Stalled = silence;
            onStall();
        }
    }
}
