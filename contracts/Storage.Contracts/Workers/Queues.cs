namespace Storage.Contracts;

/// <summary>The names on the broker.</summary>
public static class Queues
{
    /// <summary>Typed commands from MassTransit clients.</summary>
    public const string Commands = "storage.commands";

    /// <summary>Commands as plain JSON from any AMQP client.</summary>
    public const string JsonCommands = "storage.commands.json";

    /// <summary>Reports and announcements of the workers.</summary>
    public const string Inventory = "storage.inventory";

    /// <summary>Messages that could not be handled, from every service.</summary>
    public const string DeadLetters = "storage.dead-letters";

    /// <summary>Questions of the workers for the secrets of what they run.</summary>
    public const string Secrets = "storage.secrets";

    /// <summary>Topic exchange of all logged events; routing key <c>{type}.{host}</c>.</summary>
    public const string Events = "storage.events";

    /// <summary>The queues whose work any replica may take, one for each family.</summary>
    public static IReadOnlyList<string> Shared { get; } = [.. Enum.GetValues<PoolFamily>().Select(Worker)];

    /// <summary>Work for the family's worker on one host.</summary>
    public static string Worker(PoolFamily family, string host) => OnHost(Worker(family), host);

    /// <summary>Work that any replica of the family's worker may take.</summary>
    public static string Worker(PoolFamily family) => $"storage.{family.ToString().ToLowerInvariant()}";

    /// <summary>The queue of one replica, of a family's queue.</summary>
    public static string OnHost(string shared, string host) => $"{shared}.{host}";

    /// <summary>The host of a worker's queue; null for one that any replica takes from.</summary>
    public static string? HostOf(string queue) =>
        Shared.FirstOrDefault(shared => queue.StartsWith($"{shared}.", StringComparison.Ordinal)) is { } family ? queue[(family.Length + 1)..] : null;
}
