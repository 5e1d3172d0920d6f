using System.Globalization;
using Storage.Benchmarks.Services;

namespace Storage.Benchmarks.Memory;

/// <summary>The resident memory of the parts of Storage (proc(5)), in bytes.</summary>
internal sealed class PartMemory(RunningStorage storage)
{
    private const string ResetPeak = "5";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly IReadOnlyList<(string Name, int Process)> single =
        [.. storage.Services.Select(service => (service.Name, service.Process)), .. ProcessTree.Named("beam.smp").Select(process => ("broker", process))];

    public IReadOnlyDictionary<string, long> Resident() => Read("VmRSS:", Database());

    /// <summary>The most while the work is done. The kernel keeps that of a process; of the database's, which come and go, it is what is seen now and then.</summary>
    public async Task<IReadOnlyDictionary<string, long>> PeakAsync(Func<Task> run)
    {
        foreach (var (_, process) in single)
            await File.WriteAllTextAsync($"/proc/{process}/clear_refs", ResetPeak);
        var (working, database) = (run(), 0L);
        while (!working.IsCompleted)
        {
            database = Math.Max(database, Database());
            await Task.WhenAny(working, Task.Delay(Look));
        }
        await working;
        return Read("VmHWM:", Math.Max(database, Database()));
    }

    private Dictionary<string, long> Read(string field, long database) =>
        new(single.Select(part => KeyValuePair.Create(part.Name, Field($"/proc/{part.Process}/status", field)))) { ["database"] = database };

    private static long Database() => ProcessTree.Named("postgres").Sum(process =>
    {
        try
        {
            return Field($"/proc/{process}/smaps_rollup", "Pss:");
        }
        catch (IOException)
        {
            // It has ended.
            return 0;
        }
    });

    private static long Field(string file, string field)
    {
        var line = File.ReadLines(file).First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}
