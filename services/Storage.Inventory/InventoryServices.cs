using MassTransit;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Inventory;

/// <summary>
/// The inventory: takes in what workers report and what could not be handled, keeps time, passes the event log on. Any number of replicas may run; the ledger's
/// locks let one of them at a time do each thing.
/// </summary>
public static class InventoryServices
{
    public static IServiceCollection AddInventory(this IServiceCollection services, IConfiguration configuration)
    {
        var options = configuration.GetSection(InventoryOptions.Section).Get<InventoryOptions>() ?? new InventoryOptions();
        services.AddSingleton(options);
        services.AddLedger(configuration);
        services.AddSingleton(new BusEndpoint(
            Queues.Inventory,
            (provider, endpoint) =>
            {
                endpoint.Handler<HostReport>(async context =>
                {
                    await context.AnswerAsync(await provider.GetRequiredService<ReportProjector>().ProjectAsync(context.Message, context.CancellationToken));
                });
                endpoint.Handler<HoldRun>(async context =>
                {
                    await context.AnswerAsync(await provider.GetRequiredService<RunHolds>().AskAsync(context.Message, context.CancellationToken));
                });
            },
            Concurrency: 256));
        services.AddSingleton(new BusEndpoint(
            Queues.DeadLetters,
            (provider, endpoint) => endpoint.Handler<DeadLetter>(context =>
                provider.GetRequiredService<DeadLetterIntake>().TakeAsync(context.Message, context.CancellationToken)),
            Concurrency: 32));
        services.AddHostedService<SweepTimer>();
        services.AddHostedService<DeadlineTimer>();
        if (options.PublishEvents)
            services.AddHostedService<EventRelay>();
        return services;
    }
}
