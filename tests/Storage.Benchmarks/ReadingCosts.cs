using System.Diagnostics;
using System.Globalization;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.Benchmarks;

/// <summary>
/// What a refresh would gain by reading the headers of images side by side. It reads them one after the other: see decision 9.
/// </summary>
internal static class ReadingCosts
{
    private const int Images = 5000;
    private const int Abreast = 4;
    private const int Rounds = 9;

    public static async Task PrintAsync()
    {
        var folder = Directory.CreateTempSubdirectory("storage-reading-").FullName;
        try
        {
            SampleFiles.Make(folder, "qcow2", Images);
            var names = Directory.GetFiles(folder).Select(path => Path.GetFileName(path)!).Order(Utf8Order.Comparer).ToArray();
            var single = await MedianAsync(() => Read(folder, names, 1));
            var abreast = await MedianAsync(() => Read(folder, names, Abreast));
            var cold = await MedianAsync(() => ObserveAsync(folder, headers: null));
            var known = new KnownHeaders(new Later());
            await ObserveAsync(folder, known);
            var warm = await MedianAsync(() => ObserveAsync(folder, known));
            Console.WriteLine($"{Images} qcow2 in the page cache, median of {Rounds}, {Environment.ProcessorCount} processors");
            Print("one after the other", single);
            Print($"{Abreast} side by side", abreast);
            Print("a listing that reads all", cold);
            Print("a listing that knows all", warm);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"side by side it takes {abreast / single:0.00} of the time"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(string what, double milliseconds) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {milliseconds:0.0} ms"));

    private static async Task<double> MedianAsync(Func<Task> action)
    {
        var times = new double[Rounds];
        for (var i = 0; i < Rounds; i++)
        {
            var watch = Stopwatch.StartNew();
            await action();
            times[i] = watch.Elapsed.TotalMilliseconds;
        }
        return times.Order().ElementAt(Rounds / 2);
    }

    /// <summary>Each thread takes the next name, and the results are in the order of the names.</summary>
    private static Task Read(string folder, string[] names, int threads)
    {
        var read = new VolumeDefinition?[names.Length];
        var next = -1;
        return Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (int at; (at = Interlocked.Increment(ref next)) < names.Length;)
                read[at] = LocalVolumeFiles.Read(folder, names[at]);
        })));
    }

    private static Task<PoolObservation> ObserveAsync(string folder, KnownHeaders? headers) => LocalVolumeFiles.ObserveAsync(
        folder, _ => ValueTask.CompletedTask, new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>()),
        CancellationToken.None, headers);

    /// <summary>The files were changed long ago.</summary>
    private sealed class Later : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddMinutes(1);
    }
}
