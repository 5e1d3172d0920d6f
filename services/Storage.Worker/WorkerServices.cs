using System.Diagnostics.Metrics;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>How a worker comes into a process.</summary>
public static class WorkerServices
{
    /// <summary>An inventory, or a store of secrets, that does not answer for so long is asked again.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Adds the worker of one family; several families may share a process. Comes after
    /// <see cref="StorageBus.AddStorageBus"/>, so that the worker stops before the bus does. Its backends are the
    /// <see cref="IPoolBackend"/> services of its family.
    /// </summary>
    public static IServiceCollection AddWorker(this IServiceCollection services, IConfiguration configuration, PoolFamily family)
    {
        var name = family.ToString();
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WorkerOptions>, WorkerOptionsValidator>());
        services.AddOptions<WorkerOptions>(name)
            .Bind(configuration.GetSection(WorkerOptions.Section))
            .Bind(configuration.GetSection($"{WorkerOptions.Section}:{name}"))
            .ValidateOnStart();
        services.AddKeyedSingleton(family, (provider, _) => new FamilyWorker(
            family,
            provider.GetRequiredService<IOptionsMonitor<WorkerOptions>>().Get(name),
            provider.GetServices<IPoolBackend>(),
            (report, token) => provider.GetRequiredService<IBus>()
                .AskAsync<HostReport, ReportTaken>(Queues.Inventory, report, AnswerLimit, token),
            (question, token) => provider.GetRequiredService<IBus>()
                .AskAsync<HoldRun, RunHold>(Queues.Inventory, question, AnswerLimit, token),
            (question, token) => provider.GetRequiredService<IBus>()
                .AskAsync<ResolveSecret, SecretResolved>(Queues.Secrets, question, AnswerLimit, token),
            provider.GetRequiredService<IMeterFactory>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<FamilyWorker>>()));
        services.AddKeyedSingleton(family, (provider, _) => new WorkerService(
            provider.GetRequiredKeyedService<FamilyWorker>(family), provider.GetRequiredService<IReceiveEndpointConnector>()));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<WorkerService>(family));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"worker-{name.ToLowerInvariant()}",
            provider => provider.GetRequiredKeyedService<WorkerService>(family), HealthStatus.Unhealthy, ["ready"]));
        return services;
    }
}
