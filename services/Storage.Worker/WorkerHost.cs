using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>The whole program of a worker service.</summary>
public static class WorkerHost
{
    /// <summary>Of all families in one process; that of each family comes after it.</summary>
    private const int AgentPort = 5080;

    /// <summary>
    /// Runs the worker of one family until the process is told to stop. Health and metrics are on the loopback address unless <c>Urls</c>
    /// says otherwise, on a port for each family.
    /// </summary>
    /// <param name="backends">Registers the family's backends as <see cref="IPoolBackend"/>.</param>
    public static Task RunAsync(string[] args, PoolFamily family, Action<IServiceCollection> backends) => RunAsync(
        args, $"storage-worker-{family.ToString().ToLowerInvariant()}", AgentPort + 1 + (int)family,
        (services, configuration) => Add(services, configuration, family, backends));

    /// <summary>
    /// The same for several families in one process: those that <see cref="WorkerFamilies"/> chooses, each with the queue, the journal and the
    /// registration that it has alone.
    /// </summary>
    /// <param name="built">Registers the backends of each family that there is.</param>
    public static Task RunAsync(string[] args, IReadOnlyDictionary<PoolFamily, Action<IServiceCollection>> built) => RunAsync(
        args, "storage-agent", AgentPort,
        (services, configuration) =>
        {
            foreach (var family in WorkerFamilies.Chosen(configuration, built.Keys))
                Add(services, configuration, family, built[family]);
        });

    private static async Task RunAsync(string[] args, string service, int port, Action<IServiceCollection, IConfiguration> addWorkers)
    {
        ProcessStart.Prepare();
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.AddServiceTelemetry(service);
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null)
            builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddStorageBus(builder.Configuration);
        addWorkers(builder.Services, builder.Configuration);
        await using var app = builder.Build();
        app.MapServiceHealth();
        await app.RunAsync();
    }

    private static void Add(IServiceCollection services, IConfiguration configuration, PoolFamily family, Action<IServiceCollection> backends)
    {
        services.AddWorker(configuration, family);
        backends(services);
    }
}
