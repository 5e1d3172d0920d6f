using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Storage.Contracts;

namespace Storage.Tests;

/// <summary>
/// The AsyncAPI document of the contracts: what goes over the broker, by whom, in which form. The names of queues, commands and
/// events come from the contracts, the schemas from their types, the descriptions from their comments.
/// </summary>
internal sealed class AsyncApiDocument
{
    public const string Path = "contracts/asyncapi.json";

    private const string Json = "application/json";
    private const string Envelope = "application/vnd.masstransit+json";

    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly MessageSchemas schemas = new();
    private readonly JsonObject messages = [];
    private readonly JsonObject channels = [];
    private readonly JsonObject operations = [];

    public static string Generate() => new AsyncApiDocument().Build().ToJsonString(Indented) + "\n";

    private JsonObject Build()
    {
        Commands();
        PlainCommands();
        Events();
        Workers();
        DeadLetters();
        return new JsonObject
        {
            ["asyncapi"] = "3.0.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Storage",
                ["version"] = typeof(ICommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
                    .InformationalVersion.Split('+')[0],
                ["description"] = "Storage management for fleets of hosts: commands in, events out, over RabbitMQ. "
                    + "Operations are described from the side of Storage.",
            },
            ["defaultContentType"] = Json,
            ["channels"] = channels,
            ["operations"] = operations,
            ["components"] = new JsonObject { ["messages"] = messages, ["schemas"] = schemas.ToJson() },
        };
    }

    private void Commands()
    {
        var commands = CommandTypes.All.Select(command => Enveloped(command.Type)).ToList();
        var replies = new[] { Enveloped(typeof(CommandAccepted)), Enveloped(typeof(CommandRejected)) };
        Channel("commands", Queues.Commands, "Commands in MassTransit's envelope.", commands, QueueBinding());
        Channel("commandReplies", null, "The queue that the sender names as responseAddress.", replies);
        Operation("receiveCommand", "receive", "commands", "Accepts a command, or refuses it. Answers where responseAddress is given.",
            commands, Reply("commandReplies", "$message.payload#/responseAddress", replies));
    }

    private void PlainCommands()
    {
        var submit = Message("SubmitCommand", Json, SubmitCommandSchema(), XmlComments.Of(typeof(SubmitCommand)), nameof(SubmitCommand));
        var commands = CommandTypes.All
            .Select(command => Message(
                $"{command.Name}.plain", Json, schemas.Of(command.Type), Summary(command.Type), command.Name))
            .Prepend(submit).ToList();
        var replies = new[] { Plain(typeof(CommandAccepted)), Plain(typeof(CommandRejected)) };
        Channel("commandsJson", Queues.JsonCommands,
            "Commands as plain JSON of at most 8 MiB: a SubmitCommand, or a command's own record with the command's name in the AMQP "
            + "property type. Members that are not known are refused. A message-id that is a uuid is the command's id where the body has none.",
            commands, QueueBinding());
        Channel("commandsJsonReplies", null,
            "The queue that the sender names in the AMQP property reply-to. The property type is the name of the answer; "
            + "correlation-id is that of the command, or else its message-id.", replies);
        Channel("commandsJsonRejected", $"{Queues.JsonCommands}.rejected",
            "Commands that were refused and had no reply-to, as they came, with the reason in their headers. The newest 10000 are kept. "
            + "Each is also a dead letter, which is where to look.",
            [Message("RejectedCommand", Json, [], "A refused command as it came.", null, RejectedHeaders())], QueueBinding());
        Operation("receivePlainCommand", "receive", "commandsJson", "Accepts a command, or refuses it. Answers where reply-to is given.",
            commands, Reply("commandsJsonReplies", null, replies));
        Operation("setAsideCommand", "send", "commandsJsonRejected", "Keeps a refused command that nobody waits for.", ["RejectedCommand"]);
    }

    private void Events()
    {
        var events = EventTypes.Logged.Select(type => Message(
            type.Name, Envelope, EnvelopeOf(typeof(StorageEvent), EventSchema(type)), Summary(type))).ToList();
        Channel("events", "{type}.{host}",
            "All events of the event log, in its order, each at least once. The address is the routing key.", events,
            new JsonObject
            {
                ["is"] = "routingKey",
                ["exchange"] = new JsonObject { ["name"] = Queues.Events, ["type"] = "topic", ["durable"] = true, ["autoDelete"] = false },
            },
            new JsonObject
            {
                ["type"] = new JsonObject
                {
                    ["description"] = "The name of the event.",
                    ["enum"] = Array(EventTypes.Logged.Select(type => type.Name)),
                },
                ["host"] = new JsonObject { ["description"] = "The host of the event; control where it has none." },
            });
        Operation("sendEvent", "send", "events", "Passes on what became true.", events);
    }

    private void Workers()
    {
        string[] work = [Enveloped(typeof(RunOperations)), Enveloped(typeof(CancelRun)), Enveloped(typeof(ExpireRun))];
        string[] reports = [Enveloped(typeof(HostReport))], taken = [Enveloped(typeof(ReportTaken))];
        string[] questions = [Enveloped(typeof(HoldRun))], answers = [Enveloped(typeof(RunHold))], shared = [Enveloped(typeof(RunOperations))];
        foreach (var type in EventTypes.All)
            schemas.Of(type);
        Channel("work", "storage.{family}.{host}", "Work for the family's worker on one host.", work, QueueBinding(), new JsonObject
        {
            ["family"] = new JsonObject
            {
                ["description"] = XmlComments.Of(typeof(PoolFamily)),
                ["enum"] = Array(Enum.GetNames<PoolFamily>().Select(name => name.ToLowerInvariant())),
            },
            ["host"] = new JsonObject { ["description"] = "The host's name." },
        });
        Channel("sharedWork", "storage.{family}", "Work that any replica of the family's worker may take.", shared, QueueBinding(), new JsonObject
        {
            ["family"] = new JsonObject
            {
                ["description"] = XmlComments.Of(typeof(PoolFamily)),
                ["enum"] = Array(Enum.GetNames<PoolFamily>().Select(name => name.ToLowerInvariant())),
            },
        });
        Channel("inventory", Queues.Inventory, "Reports and announcements of the workers, and their questions.", [.. reports, .. questions], QueueBinding());
        Operation("sendWork", "send", "work", "Gives a worker work, again while nothing is heard of it.", work);
        Channel("reportReplies", null, "The responseAddress of a report.", taken);
        Operation("receiveReport", "receive", "inventory", "Takes in what workers report, and answers when it is committed.", reports,
            Reply("reportReplies", "$message.payload#/responseAddress", taken));
        Operation("sendSharedWork", "send", "sharedWork", "Gives any replica work; the one that takes it asks whether it may run it.", shared);
        Channel("holdReplies", null, "The responseAddress of a question.", answers);
        Operation("receiveHold", "receive", "inventory", "Says whether a worker may run what any replica may take.", questions,
            Reply("holdReplies", "$message.payload#/responseAddress", answers));
        string[] wanted = [Enveloped(typeof(ResolveSecret))], resolved = [Enveloped(typeof(SecretResolved))];
        Channel("secrets", Queues.Secrets, "Questions of the workers for the secrets of what they run.", wanted, QueueBinding());
        Channel("secretReplies", null, "The responseAddress of a question for a secret.", resolved);
        Operation("receiveSecretQuestion", "receive", "secrets", "Gives a worker a secret of an operation that it runs, sealed to the key of the question.", wanted,
            Reply("secretReplies", "$message.payload#/responseAddress", resolved));
    }

    private void DeadLetters()
    {
        string[] letters = [Enveloped(typeof(DeadLetter))];
        Channel("deadLetters", Queues.DeadLetters, "Messages that could not be handled, from every service.", letters, QueueBinding());
        Operation("sendDeadLetter", "send", "deadLetters", "Keeps a message before it is acknowledged.", letters);
        Operation("receiveDeadLetter", "receive", "deadLetters", "Stores it, for people to look at, replay or discard.", letters);
    }

    private string Enveloped(Type type) => Message(type.Name, Envelope, EnvelopeOf(type, schemas.Of(type)), Summary(type));

    private string Plain(Type type) => Message($"{type.Name}.plain", Json, schemas.Of(type), Summary(type), type.Name);

    private static string? Summary(Type type) => XmlComments.Of(type);

    private JsonObject SubmitCommandSchema()
    {
        schemas.Of(typeof(SubmitCommand));
        return new JsonObject
        {
            ["allOf"] = new JsonArray(
                MessageSchemas.Reference(nameof(SubmitCommand)),
                new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["command"] = new JsonObject { ["type"] = "string", ["enum"] = Array(CommandTypes.All.Select(command => command.Name)) },
                        ["arguments"] = new JsonObject
                        {
                            ["anyOf"] = new JsonArray([.. CommandTypes.All.Select(command => schemas.Of(command.Type))]),
                        },
                    },
                }),
        };
    }

    private JsonObject EventSchema(Type type) => new()
    {
        ["allOf"] = new JsonArray(
            schemas.Of(typeof(StorageEvent)),
            new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["type"] = new JsonObject { ["const"] = type.Name }, ["data"] = schemas.Of(type) },
            }),
    };

    /// <summary>What Storage reads of MassTransit's envelope, and writes in it.</summary>
    private static JsonObject EnvelopeOf(Type type, JsonObject message) => new()
    {
        ["type"] = "object",
        ["required"] = Array(["messageType", "message"]),
        ["properties"] = new JsonObject
        {
            ["messageId"] = new JsonObject { ["type"] = "string", ["format"] = "uuid" },
            ["requestId"] = new JsonObject { ["type"] = "string", ["format"] = "uuid" },
            ["responseAddress"] = new JsonObject { ["type"] = "string", ["format"] = "uri" },
            ["messageType"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = new JsonObject { ["type"] = "string" },
                ["contains"] = new JsonObject { ["const"] = Urn(type) },
            },
            ["message"] = message,
        },
    };

    /// <summary>MassTransit's name of a message type.</summary>
    public static string Urn(Type type) => $"urn:message:{type.Namespace}:{type.Name}";

    private static JsonObject RejectedHeaders() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(new[] { "code", "message", "field" }
            .Select(part => KeyValuePair.Create<string, JsonNode?>($"storage-error-{part}", new JsonObject { ["type"] = "string" }))),
    };

    private string Message(
        string name, string contentType, JsonObject payload, string? summary, string? amqpType = null, JsonObject? headers = null)
    {
        var message = new JsonObject { ["name"] = name, ["contentType"] = contentType };
        if (summary is not null)
            message["summary"] = summary;
        if (headers is not null)
            message["headers"] = headers;
        message["payload"] = payload;
        if (amqpType is not null)
            message["bindings"] = Amqp(new JsonObject { ["messageType"] = amqpType });
        messages.TryAdd(name, message);
        return name;
    }

    private void Channel(
        string name, string? address, string description, IEnumerable<string> carried, JsonObject? binding = null, JsonObject? parameters = null)
    {
        var channel = new JsonObject
        {
            ["address"] = address,
            ["description"] = description,
            ["messages"] = new JsonObject(carried.Select(message =>
                KeyValuePair.Create<string, JsonNode?>(message, Reference($"#/components/messages/{message}")))),
        };
        if (parameters is not null)
            channel["parameters"] = parameters;
        if (binding is not null)
            channel["bindings"] = Amqp(binding);
        channels[name] = channel;
    }

    private void Operation(
        string name, string action, string channel, string summary, IEnumerable<string> carried, JsonObject? reply = null)
    {
        var operation = new JsonObject
        {
            ["action"] = action,
            ["channel"] = Reference($"#/channels/{channel}"),
            ["summary"] = summary,
            ["messages"] = References(channel, carried),
        };
        if (reply is not null)
            operation["reply"] = reply;
        operations[name] = operation;
    }

    private static JsonObject Reply(string channel, string? location, IEnumerable<string> carried)
    {
        var reply = new JsonObject { ["channel"] = Reference($"#/channels/{channel}"), ["messages"] = References(channel, carried) };
        // The AMQP property reply-to has no runtime expression; the channel describes it.
        if (location is not null)
            reply["address"] = new JsonObject { ["location"] = location };
        return reply;
    }

    private static JsonArray References(string channel, IEnumerable<string> carried) =>
        new([.. carried.Select(message => Reference($"#/channels/{channel}/messages/{message}"))]);

    private static JsonObject QueueBinding() => new()
    {
        ["is"] = "queue",
        ["queue"] = new JsonObject { ["durable"] = true, ["exclusive"] = false, ["autoDelete"] = false },
    };

    private static JsonObject Amqp(JsonObject binding)
    {
        binding["bindingVersion"] = "0.3.0";
        return new JsonObject { ["amqp"] = binding };
    }

    private static JsonObject Reference(string target) => new() { ["$ref"] = target };

    private static JsonArray Array(IEnumerable<string> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
