using System.Net.Mime;
using System.Text.Json.Serialization;
using MassTransit;
using MassTransit.Serialization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Storage.Contracts;

namespace Storage.Hosting;

/// <summary>The one bus of a process: RabbitMQ, or memory for the embedded default.</summary>
public static class StorageBus
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>Adds the bus with every <see cref="BusEndpoint"/> that the process's services have registered.</summary>
    public static IServiceCollection AddStorageBus(this IServiceCollection services, IConfiguration configuration)
    {
        var options = configuration.GetSection(BusOptions.Section).Get<BusOptions>() ?? new BusOptions();
        services.AddSingleton(options);
        services.AddSingleton<ConsumedQueues>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddHostedService<BusWatch>();
        services.AddMassTransit(bus =>
        {
            // Nothing is told to anybody outside. And what counts endpoints for it breaks the bus where two are connected while it starts.
            bus.DisableUsageTelemetry();
            if (options.InMemory)
                bus.UsingInMemory((context, factory) => Configure(context, factory));
            else
                bus.UsingRabbitMq((context, factory) =>
                {
                    factory.Host(new Uri(options.Uri), host => host.PublisherConfirmation = true);
                    factory.Message<StorageEvent>(message => message.SetEntityName(Queues.Events));
                    factory.Publish<StorageEvent>(publish => publish.ExchangeType = "topic");
                    factory.Send<StorageEvent>(send => send.UseRoutingKeyFormatter(
                        context => $"{context.Message.Type}.{context.Message.Host ?? "control"}"));
                    Configure(context, factory);
                });
        });
        // A service must answer health checks and keep trying while the broker is away.
        services.AddOptions<MassTransitHostOptions>().Configure(host => host.WaitUntilStarted = false);
        return services;
    }

    private static void Configure(IBusRegistrationContext context, IBusFactoryConfigurator factory)
    {
        factory.ConfigureJsonSerializerOptions(json =>
        {
            StorageJson.Configure(json, JsonUnmappedMemberHandling.Skip);
            // Otherwise a third of every message is blanks.
            json.WriteIndented = false;
            return json;
        });
        foreach (var endpoint in context.GetServices<BusEndpoint>())
            factory.ReceiveEndpoint(endpoint.Queue, receive => Configure(endpoint, context, receive, factory));
    }

    /// <summary>
    /// Takes messages from the endpoint's queue from now on: for a service that must not do so from the start of the bus. The
    /// endpoint is as one that was registered; it connects whenever the broker can be reached.
    /// </summary>
    public static HostReceiveEndpointHandle Connect(this IReceiveEndpointConnector bus, BusEndpoint endpoint) =>
        bus.ConnectReceiveEndpoint(endpoint.Queue, (context, receive) => Configure(endpoint, context, receive));

    private static void Configure(
        BusEndpoint endpoint, IServiceProvider services, IReceiveEndpointConfigurator receive, IBusFactoryConfigurator? factory = null)
    {
        receive.ConfigureConsumeTopology = false;
        receive.PrefetchCount = endpoint.Concurrency;
        receive.ConcurrentMessageLimit = endpoint.Concurrency;
        if (receive is IRabbitMqReceiveEndpointConfigurator rabbit)
            rabbit.Durable = true;
        receive.UseDeadLetters(endpoint.Queue, services, factory);
        endpoint.Configure(services, receive);
        services.GetRequiredService<ConsumedQueues>().Add(endpoint.Queue);
    }

    // Each of these waits no longer than its token says: a send whose connection is cut can outlast it, see BusWatch.

    /// <summary>Sends to a durable queue and waits for the answer. A message that nobody took in that time is gone from the queue.</summary>
    /// <exception cref="RequestException">No answer in time, or a fault.</exception>
    public static async Task<TAnswer> AskAsync<TQuestion, TAnswer>(
        this IBus bus, string queue, TQuestion question, TimeSpan atMost, CancellationToken cancellationToken)
        where TQuestion : class
        where TAnswer : class
    {
        var client = bus.CreateRequestClient<TQuestion>(new Uri($"queue:{queue}"), atMost);
        return (await client.GetResponse<TAnswer>(question, cancellationToken).WaitAsync(cancellationToken)).Message;
    }

    /// <summary>
    /// Sends bytes as they are to a durable queue, as a message that came from there before; returns when the broker has them.
    /// </summary>
    /// <param name="type">The AMQP type.</param>
    public static async Task SendAgainAsync(
        this ISendEndpointProvider bus, string queue, byte[] body, string? contentType, string? type, string? messageId,
        IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellationToken)
    {
        var endpoint = await bus.GetSendEndpoint(new Uri($"queue:{queue}"));
        await endpoint.Send(
            new Unread(),
            Pipe.Execute<SendContext<Unread>>(context =>
            {
                context.Serializer = new CopyBodySerializer(ContentTypeOf(contentType), new BytesMessageBody(body));
                if (Guid.TryParse(messageId, out var id))
                    context.MessageId = id;
                foreach (var (name, value) in headers)
                    context.Headers.Set(name, value);
                if (context.TryGetPayload<RabbitMqSendContext>(out var amqp) && type is not null)
                    amqp.BasicProperties.Type = type;
            }),
            cancellationToken);
    }

    private static ContentType ContentTypeOf(string? text)
    {
        try
        {
            return new ContentType(text ?? MediaTypeNames.Application.Octet);
        }
        catch (FormatException)
        {
            return new ContentType(MediaTypeNames.Application.Octet);
        }
    }

    /// <summary>Stands for a message whose bytes nobody here reads.</summary>
    private sealed record Unread;

    /// <summary>Sends to a durable queue, which is made if need be: what is sent before the consumer's first start is not lost.</summary>
    public static async Task SendToAsync<T>(this ISendEndpointProvider bus, string queue, T message, CancellationToken cancellationToken)
        where T : class
    {
        var endpoint = await bus.GetSendEndpoint(new Uri($"queue:{queue}"));
        await endpoint.Send(message, cancellationToken).WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Answers a question; who asked nothing gets no answer. One that cannot be given in time ends as a <see cref="TimeoutException"/>, and its
    /// message is taken again: handlers that wait for ever would in the end leave none for others.
    /// </summary>
    public static Task AnswerAsync<T>(this ConsumeContext question, T answer)
        where T : class => question.ResponseAddress is null
            ? Task.CompletedTask
            : question.RespondAsync(answer).WaitAsync(AnswerLimit, question.CancellationToken);

    /// <summary>To everybody who has bound a queue to the type's exchange.</summary>
    public static Task PublishToAllAsync<T>(this IBus bus, T message, CancellationToken cancellationToken)
        where T : class => bus.Publish(message, cancellationToken).WaitAsync(cancellationToken);
}
