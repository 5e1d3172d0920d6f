using System.Diagnostics;

namespace Storage.Benchmarks;

/// <param name="PerSecond">Volumes per second, over all.</param>
/// <param name="Answers">From the request to the answer that the volume is there.</param>
internal sealed record Measured(double PerSecond, Percentiles Answers);

/// <summary>Creates sparse raw volumes, each until it is in the inventory.</summary>
internal static class CreateVolumes
{
    public static async Task<Measured> RunAsync(BenchmarkPool pool, int count, int inFlight)
    {
        var took = new TimeSpan[count];
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = inFlight }, async (i, _) =>
        {
            var began = Stopwatch.GetTimestamp();
            await pool.RunAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/volumes", pool.NextVolume());
            took[i] = Stopwatch.GetElapsedTime(began);
        });
        return new Measured(count / watch.Elapsed.TotalSeconds, Percentiles.Of(took));
    }

    /// <returns>Volumes per second of one command that creates all of them.</returns>
    public static async Task<double> RunBulkAsync(BenchmarkPool pool, int count)
    {
        var volumes = Enumerable.Range(0, count).Select(_ => pool.NextVolume()).ToList();
        var watch = Stopwatch.StartNew();
        await pool.RunAsync(HttpMethod.Post, $"/v1/pools/{pool.Name}/volumes", volumes);
        return count / watch.Elapsed.TotalSeconds;
    }
}
