using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.HostTests;

/// <summary>What a worker needs of the other services, on their bus: takes reports as the inventory does, and gives secrets as the Api does.</summary>
internal sealed class LabInventory : IAsyncDisposable
{
    private readonly IHost host;

    /// <param name="bus">The broker.</param>
    /// <param name="told">Takes what is reported.</param>
    /// <param name="secrets">The values of secrets by their usage.</param>
    public LabInventory(Uri bus, ToldEvents told, IReadOnlyDictionary<string, byte[]> secrets)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Bus:Uri"] = bus.OriginalString });
        builder.Services.AddSingleton(new BusEndpoint(Queues.Inventory, (_, receive) => receive.Handler<HostReport>(message =>
        {
            told.Take(message.Message);
            return message.AnswerAsync(new ReportTaken(message.Message.Events.Count));
        })));
        builder.Services.AddSingleton(new BusEndpoint(Queues.Secrets, (_, receive) => receive.Handler<ResolveSecret>(message =>
        {
            var (question, value) = (message.Message, secrets[message.Message.Secret.Usage!]);
            return message.AnswerAsync(new SecretResolved(question.OperationId, SecretSealing.Seal(value, question.PublicKey, question.OperationId)));
        })));
        builder.Services.AddStorageBus(builder.Configuration);
        host = builder.Build();
    }

    public Task StartAsync() => host.StartAsync();

    public Task SendAsync<T>(string queue, T message, CancellationToken cancellationToken)
        where T : class =>
        host.Services.GetRequiredService<IBus>().SendToAsync(queue, message, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
