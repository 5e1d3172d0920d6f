using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Worker;

namespace Storage.Benchmarks.Hosts;

/// <summary>
/// The File worker of a host that there is not, many to a process: what <see cref="WorkerHost"/> runs, without health and metrics. It has its
/// own connection to the broker, queue, journal and pools.
/// </summary>
internal static class SimulatedHost
{
    /// <param name="backends">Registers the backends of the family.</param>
    /// <returns>Takes runs, and will be known to the inventory shortly.</returns>
    public static async Task<IHost> StartAsync(string name, Uri bus, string folder, Action<IServiceCollection> backends)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Bus:Uri"] = bus.OriginalString,
            ["Worker:Host"] = name,
            ["Worker:StateFolder"] = Directory.CreateDirectory(Path.Combine(folder, name)).FullName,
        });
        builder.Services.AddSingleton<IHostLifetime, Unsignalled>();
        // What is printed is the report.
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddStorageBus(builder.Configuration);
        builder.Services.AddWorker(builder.Configuration, PoolFamily.File);
        backends(builder.Services);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>A signal ends the process, of which it is a part.</summary>
    private sealed class Unsignalled : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
