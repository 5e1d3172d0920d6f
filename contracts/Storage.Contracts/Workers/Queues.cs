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

    /// <summary>Topic exchange of all logged events; routing key <c>{type}.{host}</c>.</summary>
    public const string Events = "storage.events";

    /// <summary>Work for the family's worker on one host.</summary>
    public static string Worker(PoolFamily family, string host) => $"{Worker(family)}.{host}";

    /// <summary>Work that any replica of the family's worker may take.</summary>
    public static string Worker(PoolFamily family) => $"storage.{family.ToString().ToLowerInvariant()}";
}
