using System.Globalization;
using Storage.Contracts;
using Storage.HostTests;
using Storage.Worker;

namespace Storage.Benchmarks;

/// <summary>
/// What reading the files of a pool side by side brings a refresh, where they are in the page cache and where the storage lets each call
/// wait. Both in turns, so that what else the machine does meets both.
/// </summary>
internal static class ReadingCosts
{
    private const int SlowFiles = 100;
    private const int Rounds = 9;
    private static readonly int Readers = new WorkerOptions().RefreshReaders;

    public static async Task PrintAsync()
    {
        Console.WriteLine($"median of {Rounds}, {Environment.ProcessorCount} processors");
        Console.WriteLine($"| files | refresh | 1 reader ms | {Readers} readers ms | of the time | of the CPU time |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var (format, count) in new[] { ("raw", 10_000), ("qcow2", 5000) })
        {
            await InFolderAsync(async pool =>
            {
                SampleFiles.Make(pool.Target.Path!, format, count);
                await MeasureAsync($"{count} {format}", pool);
            });
        }
        await InFolderAsync(async pool =>
        {
            Directory.CreateDirectory(pool.Target.Path!);
            using var slow = new SlowAnswers();
            using var mount = SteeredFileSystem.Mount(pool.Target.Path!, SlowFiles, slow.Take);
            await MeasureAsync($"{SlowFiles} raw, {SlowAnswers.Milliseconds} ms a call", pool);
        });
    }

    private static async Task InFolderAsync(Func<PoolDefinition, Task> measure)
    {
        var folder = Directory.CreateTempSubdirectory("storage-reading-").FullName;
        try
        {
            await measure(new PoolDefinition { Type = PoolType.Dir, Name = "benchmark", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = Path.Combine(folder, "pool") } });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(string what, PoolDefinition pool)
    {
        var costs = new List<(int Readers, bool Known, TimeSpan Wall, TimeSpan Cpu)>();
        for (var round = -1; round < Rounds; round++)
        {
            foreach (var readers in new[] { 1, Readers })
            {
                var state = Directory.CreateTempSubdirectory("storage-reading-").FullName;
                await using (var worker = await BenchmarkWorker.StartAsync(new WorkerOptions { Host = "host-a", StateFolder = state, RefreshReaders = readers }))
                {
                    var (first, firstCpu) = await worker.RunAsync(pool, new StartPool(null, pool.Name!));
                    var (known, knownCpu) = await worker.RunAsync(pool, new RefreshPool(null, pool.Name!));
                    // The first round is for code that is loaded, and files that were only just made.
                    if (round >= 0)
                        costs.AddRange([(readers, false, first, firstCpu), (readers, true, known, knownCpu)]);
                }
                Directory.Delete(state, recursive: true);
            }
        }
        foreach (var known in new[] { false, true })
        {
            var (one, oneCpu) = Median(1);
            var (many, manyCpu) = Median(Readers);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {what} | {(known ? "knows all" : "reads all")} | {one:0} | {many:0} | {many / one:0.00} | {manyCpu / oneCpu:0.00} |"));

            (double Wall, double Cpu) Median(int readers)
            {
                var those = costs.Where(cost => cost.Readers == readers && cost.Known == known).ToArray();
                return (Middle(those.Select(cost => cost.Wall)), Middle(those.Select(cost => cost.Cpu)));
            }
        }
    }

    private static double Middle(IEnumerable<TimeSpan> times) => times.Order().ElementAt(Rounds / 2).TotalMilliseconds;

    /// <summary>Lets each call wait, however many there are at once.</summary>
    private sealed class SlowAnswers : IDisposable
    {
        public const int Milliseconds = 2;

        private readonly System.Collections.Concurrent.BlockingCollection<(long Due, Action Answer)> answers = [];

        public SlowAnswers() => new Thread(AnswerAll) { IsBackground = true }.Start();

        public void Take(FuseRequest request) => answers.Add((Environment.TickCount64 + Milliseconds, request.Answer));

        public void Dispose() => answers.CompleteAdding();

        private void AnswerAll()
        {
            foreach (var (due, answer) in answers.GetConsumingEnumerable())
            {
                while (due > Environment.TickCount64)
                    Thread.Sleep(1);
                answer();
            }
        }
    }
}
