using System.Diagnostics;

namespace Storage.Benchmarks.Codec;

/// <param name="Nanoseconds">Of one call: the median of the rounds.</param>
/// <param name="Allocated">Bytes that one call allocates.</param>
internal sealed record Cost(double Nanoseconds, long Allocated)
{
    private const int Rounds = 15;

    /// <summary>Enough for code that is called this often to be compiled with all optimisation.</summary>
    private static readonly TimeSpan Warming = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(20);

    /// <summary>Measures calls in turns, so that what else the machine does meanwhile meets all of them alike.</summary>
    /// <param name="calls">Their results keep them from being optimised away.</param>
    public static Cost[] OfEach(IReadOnlyList<Func<object>> calls)
    {
        var counts = calls.Select(CountOfARound).ToArray();
        var nanoseconds = calls.Select(_ => new double[Rounds]).ToArray();
        var allocated = new long[calls.Count];
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < calls.Count; i++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var began = Stopwatch.GetTimestamp();
                Repeat(calls[i], counts[i]);
                nanoseconds[i][round] = Stopwatch.GetElapsedTime(began).TotalNanoseconds / counts[i];
                allocated[i] = (GC.GetAllocatedBytesForCurrentThread() - before) / counts[i];
            }
        }
        return [.. nanoseconds.Select((rounds, i) => new Cost(rounds.Order().ElementAt(Rounds / 2), allocated[i]))];
    }

    private static int CountOfARound(Func<object> call)
    {
        const int AtOnce = 100;
        var count = 0;
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Warming; count += AtOnce)
            Repeat(call, AtOnce);
        return (int)Math.Ceiling(count * (Round / Warming));
    }

    private static void Repeat(Func<object> call, int count)
    {
        for (var i = 0; i < count; i++)
            GC.KeepAlive(call());
    }
}
