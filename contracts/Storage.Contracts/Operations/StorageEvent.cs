using System.Text.Json;
using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>Why something changed.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EventCause>))]
public enum EventCause
{
    /// <summary>A command asked for it.</summary>
    [JsonStringEnumMemberName("command")] Command,

    /// <summary>It happened behind our back.</summary>
    [JsonStringEnumMemberName("external")] External,

    /// <summary>Storage itself did it: autostart, periodic refresh, a host lost.</summary>
    [JsonStringEnumMemberName("system")] System,
}

/// <summary>
/// One event: the envelope of the records in <c>Events.cs</c>. Workers report events in it, the event log keeps it, subscribers get it.
/// </summary>
/// <param name="EventId">The same event is delivered again with the same id.</param>
/// <param name="Type">The name of the record in <paramref name="Data"/>.</param>
/// <param name="Resource">What it is about, see <see cref="Resources"/>.</param>
/// <param name="Revision">Rises strictly per resource; an event with a lower one than already seen is late and changes nothing.</param>
/// <param name="OccurredAt">UTC.</param>
/// <param name="Host">The host it happened on; null where the control plane itself did it.</param>
/// <param name="Cause">Why.</param>
/// <param name="CommandId">The operation that caused it.</param>
/// <param name="Data">The event's record as JSON.</param>
/// <param name="Sequence">Place in the event log; null until it is logged.</param>
public sealed record StorageEvent(
    Guid EventId,
    string Type,
    string Resource,
    long Revision,
    DateTimeOffset OccurredAt,
    string? Host,
    EventCause Cause,
    Guid? CommandId,
    JsonElement Data,
    long? Sequence = null)
{
    public T Read<T>() => Data.Deserialize<T>(StorageJson.Options)
        ?? throw new JsonException($"Event {EventId} of type {Type} has no data.");
}

/// <summary>The names of resources in events and operations.</summary>
public static class Resources
{
    public static string Pool(Guid pool) => $"pools/{pool}";

    public static string Volume(Guid pool, string volume) => $"pools/{pool}/volumes/{volume}";

    public static string Operation(Guid operation) => $"operations/{operation}";

    public static string Worker(string host, PoolFamily family) => $"hosts/{host}/{family.ToString().ToLowerInvariant()}";

    public static string DeadLetter(Guid letter) => $"dead-letters/{letter}";

    public static string Secret(Guid secret) => $"secrets/{secret}";

    public static string Host(string host) => $"hosts/{host}";

    /// <summary>The name of the volume that a resource is; null for other resources.</summary>
    public static string? VolumeOf(string resource)
    {
        const string infix = "/volumes/";
        const int start = 6 + 36;
        return PoolOf(resource) is not null && resource.AsSpan(start).StartsWith(infix, StringComparison.Ordinal)
            ? resource[(start + infix.Length)..] : null;
    }

    /// <summary>The pool that a resource is or lies in; null for other resources.</summary>
    public static Guid? PoolOf(string resource)
    {
        const string prefix = "pools/";
        return resource.StartsWith(prefix, StringComparison.Ordinal)
            && resource.Length >= prefix.Length + 36
            && Guid.TryParse(resource.AsSpan(prefix.Length, 36), out var pool) ? pool : null;
    }
}
