using MassTransit;

namespace Storage.Hosting;

/// <summary>
/// A queue that this process takes messages from. Services register one per queue; <see cref="StorageBus"/> puts them all on the
/// one bus of the process, so that several services can share a process without sharing code.
/// </summary>
/// <param name="Queue">The durable queue.</param>
/// <param name="Configure">
/// Adds the handlers. It runs while the bus is being made: services are to be asked for when a message comes, not here, since
/// most of them want the bus.
/// </param>
/// <param name="Concurrency">Messages handled at once, and fetched ahead.</param>
public sealed record BusEndpoint(
    string Queue,
    Action<IServiceProvider, IReceiveEndpointConfigurator> Configure,
    int Concurrency = 64);
