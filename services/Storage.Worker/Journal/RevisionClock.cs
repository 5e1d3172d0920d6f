namespace Storage.Worker;

/// <summary>
/// Gives the revisions of this worker's events: microseconds since 1970 while the clock goes forward, and always above every
/// revision given or observed before. The <see cref="RunJournal"/> carries it over restarts.
/// </summary>
public sealed class RevisionClock(TimeProvider time)
{
    private long last;

    /// <summary>The highest revision given or observed.</summary>
    public long Last => Volatile.Read(ref last);

    /// <summary>The revision of a moment, as workers and ledger count.</summary>
    public static long At(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public long Next()
    {
        while (true)
        {
            var seen = Last;
            var next = Math.Max(At(time.GetUtcNow()), seen + 1);
            if (Interlocked.CompareExchange(ref last, next, seen) == seen)
                return next;
        }
    }

    /// <summary>What is given from now on is above <paramref name="revision"/>.</summary>
    public void Observe(long revision)
    {
        for (var seen = Last; seen < revision; seen = Last)
            Interlocked.CompareExchange(ref last, revision, seen);
    }
}
