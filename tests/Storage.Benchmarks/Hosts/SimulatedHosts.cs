using System.Globalization;
using Storage.Benchmarks.Services;
using Storage.TestServers;
using Storage.Worker.File;

namespace Storage.Benchmarks.Hosts;

/// <summary>Processes with the workers of simulated hosts, so that what they take is not taken for the client's.</summary>
internal static class SimulatedHosts
{
    /// <summary>The argument that makes this program such a process; after it the first host, how many, and a folder.</summary>
    public const string Mode = "simulated-hosts";

    private const string Bus = "STORAGE_BENCHMARK_BUS";

    public static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"host-{number:000}");

    public static Task<GuardedProcess> StartAsync(RunningStorage storage, int first, int count)
    {
        var folder = storage.Fleet.Folder;
        string[] arguments =
        [
            typeof(SimulatedHosts).Assembly.Location, Mode, first.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture),
            Path.Combine(folder, "simulated"),
        ];
        return GuardedProcess.StartAsync(new ProgramStart("dotnet", arguments, folder, Path.Combine(folder, $"{Mode}-{first}.log"))
        {
            Environment = new Dictionary<string, string> { [Bus] = storage.Fleet.Space.Bus.OriginalString },
        });
    }

    /// <summary>Is such a process, until it is killed.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
        if (args is not [_, var first, var count, var folder] || Environment.GetEnvironmentVariable(Bus) is not { } bus)
        {
            Console.Error.WriteLine("It is started by the mode hosts.");
            return 2;
        }
        var from = int.Parse(first, CultureInfo.InvariantCulture);
        await Parallel.ForEachAsync(
            Enumerable.Range(from, int.Parse(count, CultureInfo.InvariantCulture)), new ParallelOptions { MaxDegreeOfParallelism = 4 },
            async (number, _) => await SimulatedHost.StartAsync(Name(number), new Uri(bus), folder, services => services.AddFileFamily()));
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
