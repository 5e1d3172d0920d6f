using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Ledger;

/// <summary>Adds the secrets to a service that has the ledger: the only one that needs the keys.</summary>
public static class SecretServices
{
    public static IServiceCollection AddSecrets(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(SecretRing.Read(configuration.GetSection(SecretOptions.Section).Get<SecretOptions>() ?? new SecretOptions()));
        services.AddSingleton<SecretStore>();
        services.AddSingleton<SecretResolver>();
        services.AddHostedService<SecretRotation>();
        services.AddSingleton(new BusEndpoint(
            Queues.Secrets,
            (provider, endpoint) => endpoint.Handler<ResolveSecret>(async context =>
            {
                await context.AnswerAsync(await provider.GetRequiredService<SecretResolver>().AnswerAsync(context.Message, context.CancellationToken));
            }),
            Concurrency: 16));
        return services;
    }
}
