using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>The whole program of a worker service.</summary>
public static class WorkerHost
{
    private const int FirstPort = 5081;

    /// <summary>
    /// Runs until the process is told to stop. Health and metrics are on the loopback address unless <c>Urls</c> says otherwise,
    /// on a port for each family.
    /// </summary>
    /// <param name="backends">Registers the family's backends as <see cref="IPoolBackend"/>.</param>
    public static async Task RunAsync(string[] args, PoolFamily family, Action<IServiceCollection> backends)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.AddServiceTelemetry($"storage-worker-{family.ToString().ToLowerInvariant()}");
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null)
            builder.WebHost.UseUrls($"http://127.0.0.1:{FirstPort + (int)family}");
        builder.Services.AddStorageBus(builder.Configuration);
        builder.Services.AddWorker(builder.Configuration, family);
        backends(builder.Services);
        await using var app = builder.Build();
        app.MapServiceHealth();
        await app.RunAsync();
    }
}
