namespace Storage.Ledger;

/// <summary>How old what is known of an active pool may become before the pool is looked at again, where nobody asks for it.</summary>
/// <param name="Unwatched">Where only looking tells what others have changed.</param>
/// <param name="Watched">Where its worker tells by itself.</param>
public sealed record RefreshIntervals(TimeSpan Unwatched, TimeSpan Watched)
{
    /// <summary>Each pool is due up to this part of its interval early, so that pools that started together do not stay together.</summary>
    private const double Spread = 0.2;

    /// <summary>When a pool is due again; always the same for the same pool and observation.</summary>
    public DateTimeOffset DueAt(Guid pool, bool watched, DateTimeOffset observedAt)
    {
        var share = (uint)pool.GetHashCode() / (double)uint.MaxValue;
        return observedAt + (watched ? Watched : Unwatched) * (1 - Spread * share);
    }

    /// <summary>What was seen after this is not due, whichever pool it is.</summary>
    public DateTimeOffset NoneSince(bool watched, DateTimeOffset now) => now - (watched ? Watched : Unwatched) * (1 - Spread);
}
