namespace Storage.Worker;

/// <summary>Pauses between attempts: a tenth of a second, doubled each time, varied by a fifth so that many do not come at once.</summary>
internal static class Backoff
{
    public static TimeSpan Pause(int attempt, TimeSpan longest)
    {
        var pause = Math.Min(0.1 * Math.Pow(2, Math.Min(attempt, 16)), longest.TotalSeconds);
        return TimeSpan.FromSeconds(pause * (0.9 + 0.2 * Random.Shared.NextDouble()));
    }
}
