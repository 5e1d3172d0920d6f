using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Storage.Contracts;

namespace Storage.Tests.Contracts;

/// <summary>Makes the AsyncAPI document of the bus from the contracts.</summary>
internal static class AsyncApiDocument
{
    private const string Envelope = "application/vnd.masstransit+json";

    /// <summary>The records of <c>Events.cs</c>: what stands in the data of a <see cref="StorageEvent"/>.</summary>
    public static IReadOnlyList<Type> Events { get; } =
    [
        typeof(PoolDefined), typeof(PoolAutostartSet), typeof(PoolUndefined), typeof(PoolBuilt), typeof(PoolStarted), typeof(PoolStopped),
        typeof(PoolRefreshed), typeof(PoolDeleted), typeof(PoolStateChanged), typeof(PoolSourcesFound), typeof(VolumeCreated), typeof(VolumeCloned),
        typeof(VolumeResized), typeof(VolumeWiped), typeof(VolumeDeleted), typeof(VolumeAppeared), typeof(VolumeChanged), typeof(VolumeVanished),
        typeof(OperationAccepted), typeof(OperationProgressed), typeof(OperationSucceeded), typeof(OperationFailed), typeof(OperationCancelled),
        typeof(OperationExpired), typeof(WorkerAnnounced), typeof(WorkerLost),
    ];

    public static string Make()
    {
        var commands = CommandTypes.All.Select(row => row.Type).ToList();
        var answers = new[] { typeof(CommandAccepted), typeof(CommandRejected) };
        var inner = new[] { typeof(RunOperations), typeof(CancelRun), typeof(HostReport), typeof(ReportTaken) };
        var document = new JsonObject
        {
            ["asyncapi"] = "3.0.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Storage",
                ["version"] = "0.1.0",
                ["description"] = "Commands and events of Storage on RabbitMQ. Fields may be added; nothing is renamed, removed or narrowed within a version.",
            },
            ["defaultContentType"] = Envelope,
            ["channels"] = new JsonObject
            {
                ["commands"] = Channel(Queues.Commands, "Commands from MassTransit clients. The answer goes to the response address.", commands),
                ["jsonCommands"] = Channel(Queues.JsonCommands,
                    "Commands as plain JSON: SubmitCommand, or a command's record alone with its name in the AMQP property type. The answer goes to reply-to with the same correlation-id.",
                    [typeof(SubmitCommand)]),
                ["answers"] = Channel(null, "Where the sender of a command wants its answer.", answers),
                ["events"] = Channel(Queues.Events, "All logged events: a topic exchange with the routing key {type}.{host}, {host} being 'control' where no host is concerned.",
                    [typeof(StorageEvent)], exchange: true),
                ["worker"] = Channel("storage.{family}.{host}", "Work for one worker.", [typeof(RunOperations), typeof(CancelRun)]),
                ["inventory"] = Channel(Queues.Inventory, "Reports of the workers, each answered when it is committed.", [typeof(HostReport), typeof(ReportTaken)]),
            },
            ["operations"] = new JsonObject
            {
                ["command"] = Operation("receive", "commands", commands, answer: "answers"),
                ["jsonCommand"] = Operation("receive", "jsonCommands", [typeof(SubmitCommand)], answer: "answers"),
                ["event"] = Operation("send", "events", [typeof(StorageEvent)]),
                ["run"] = Operation("send", "worker", [typeof(RunOperations), typeof(CancelRun)]),
                ["report"] = Operation("receive", "inventory", [typeof(HostReport)]),
            },
            ["components"] = new JsonObject
            {
                ["messages"] = Map([.. commands, typeof(SubmitCommand), .. answers, typeof(StorageEvent), .. inner], Message),
                ["schemas"] = Map([.. commands, typeof(SubmitCommand), .. answers, typeof(StorageEvent), .. inner, .. Events], Schema),
            },
        };
        return document.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
    }

    private static JsonObject Channel(string? address, string description, IReadOnlyList<Type> messages, bool exchange = false) => new()
    {
        ["address"] = address,
        ["description"] = description,
        ["messages"] = Map(messages, type => Reference($"#/components/messages/{type.Name}")),
        ["bindings"] = address is null ? null : new JsonObject
        {
            ["amqp"] = exchange
                ? new JsonObject { ["is"] = "routingKey", ["exchange"] = new JsonObject { ["name"] = address, ["type"] = "topic", ["durable"] = true } }
                : new JsonObject { ["is"] = "queue", ["queue"] = new JsonObject { ["name"] = address, ["durable"] = true } },
        },
    };

    private static JsonObject Operation(string action, string channel, IReadOnlyList<Type> messages, string? answer = null)
    {
        var operation = new JsonObject
        {
            ["action"] = action,
            ["channel"] = Reference($"#/channels/{channel}"),
            ["messages"] = new JsonArray([.. messages.Select(type => Reference($"#/channels/{channel}/messages/{type.Name}"))]),
        };
        if (answer is not null)
            operation["reply"] = new JsonObject { ["channel"] = Reference($"#/channels/{answer}") };
        return operation;
    }

    private static JsonNode Message(Type type) => new JsonObject
    {
        ["name"] = type.Name,
        ["contentType"] = type == typeof(SubmitCommand) ? "application/json" : Envelope,
        ["x-message-type"] = $"urn:message:{type.Namespace}:{type.Name}",
        ["payload"] = Reference($"#/components/schemas/{type.Name}"),
    };

    private static JsonNode Schema(Type type) => JsonSchemaExporter.GetJsonSchemaAsNode(StorageJson.Options, type, new JsonSchemaExporterOptions
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = Written,
    });

    /// <summary>What has a converter of its own: the exporter cannot know how it is written.</summary>
    private static JsonNode Written(JsonSchemaExporterContext context, JsonNode schema)
    {
        var converter = context.PropertyInfo?.AttributeProvider?.GetCustomAttributes(true)
            .Concat(context.PropertyInfo?.AssociatedParameter?.AttributeProvider?.GetCustomAttributes(true) ?? [])
            .OfType<System.Text.Json.Serialization.JsonConverterAttribute>().FirstOrDefault()?.ConverterType;
        if (converter == typeof(ByteSizeJsonConverter))
            return new JsonObject
            {
                ["description"] = "Bytes; on input also a string with one of libvirt's units, such as \"10 GiB\".",
                ["type"] = new JsonArray("integer", "string", "null"),
                ["minimum"] = 0,
            };
        if (converter == typeof(OctalModeJsonConverter))
            return new JsonObject { ["description"] = "A file mode in octal, at most 0777.", ["type"] = new JsonArray("string", "null"), ["pattern"] = "^[0-7]+$" };
        if (schema is JsonObject { } shape && shape["required"] is JsonArray required)
        {
            // What may be null may be missing.
            foreach (var name in required.Where(name => shape["properties"]![name!.ToString()] is JsonObject property && property["type"] is JsonArray kinds && kinds.Any(kind => kind!.ToString() == "null")).ToList())
                required.Remove(name);
            if (required.Count == 0)
                shape.Remove("required");
        }
        return schema;
    }

    private static JsonObject Map(IReadOnlyList<Type> types, Func<Type, JsonNode> make) =>
        new(types.OrderBy(type => type.Name, StringComparer.Ordinal).Select(type => KeyValuePair.Create(type.Name, (JsonNode?)make(type))));

    private static JsonObject Reference(string path) => new() { ["$ref"] = path };

    /// <summary>Every public record of the contracts that is named as an event.</summary>
    public static IEnumerable<Type> Declared => Assembly.GetAssembly(typeof(StorageEvent))!.GetExportedTypes();
}
