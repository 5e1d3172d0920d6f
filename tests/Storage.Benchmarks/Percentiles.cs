namespace Storage.Benchmarks;

/// <summary>Of times that single requests took, in milliseconds.</summary>
internal sealed record Percentiles(double P50, double P99)
{
    public static Percentiles Of(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return new Percentiles(At(0.5), At(0.99));

        double At(double part) => sorted[Math.Min((int)(sorted.Count * part), sorted.Count - 1)].TotalMilliseconds;
    }
}
