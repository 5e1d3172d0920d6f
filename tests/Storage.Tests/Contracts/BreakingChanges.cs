using System.Text.Json.Nodes;

namespace Storage.Tests;

/// <summary>
/// What a newer AsyncAPI document takes from those who rely on an older one: channels, messages and fields that are gone, types and
/// values that are narrower, fields that must now be there. What is only added breaks nobody.
/// </summary>
internal static class BreakingChanges
{
    private static readonly string[] Fixed = ["$ref", "const", "format", "pattern", "default"];

    public static IReadOnlyList<string> Between(JsonNode old, JsonNode @new)
    {
        var found = new List<string>();
        foreach (var (name, channel) in Members(old["channels"]))
            Channel($"channel {name}", channel, @new["channels"]?[name], found);
        foreach (var (name, operation) in Members(old["operations"]))
            Operation($"operation {name}", operation, @new["operations"]?[name], found);
        foreach (var (name, message) in Members(old["components"]?["messages"]))
            Message($"message {name}", message, @new["components"]?["messages"]?[name], found);
        foreach (var (name, schema) in Members(old["components"]?["schemas"]))
            Schema(name, schema, @new["components"]?["schemas"]?[name], found);
        return found;
    }

    private static void Channel(string path, JsonNode? old, JsonNode? @new, List<string> found)
    {
        if (@new is null)
        {
            found.Add($"{path} is gone");
            return;
        }
        if (!JsonNode.DeepEquals(old?["address"], @new["address"]))
            found.Add($"{path} has another address");
        if (!JsonNode.DeepEquals(old?["bindings"], @new["bindings"]))
            found.Add($"{path} has other bindings");
        Gone(path, "message", old?["messages"], @new["messages"], found);
    }

    private static void Operation(string path, JsonNode? old, JsonNode? @new, List<string> found)
    {
        if (@new is null)
            found.Add($"{path} is gone");
        else if (!JsonNode.DeepEquals(old?["action"], @new["action"]) || !JsonNode.DeepEquals(old?["channel"], @new["channel"]))
            found.Add($"{path} has another action or channel");
    }

    private static void Message(string path, JsonNode? old, JsonNode? @new, List<string> found)
    {
        if (@new is null)
        {
            found.Add($"{path} is gone");
            return;
        }
        if (!JsonNode.DeepEquals(old?["contentType"], @new["contentType"]) || !JsonNode.DeepEquals(old?["bindings"], @new["bindings"]))
            found.Add($"{path} has another content type or other bindings");
        Schema($"{path} payload", old?["payload"], @new["payload"], found);
        Schema($"{path} headers", old?["headers"], @new["headers"], found);
    }

    private static void Schema(string path, JsonNode? old, JsonNode? @new, List<string> found)
    {
        if (old is null)
            return;
        if (@new is null)
        {
            found.Add($"{path} is gone");
            return;
        }
        foreach (var keyword in Fixed)
        {
            if (!JsonNode.DeepEquals(old[keyword], @new[keyword]))
                found.Add($"{path} has another {keyword}");
        }
        Narrower(path, "type", Types(old), Types(@new), found);
        Narrower(path, "value", Texts(old["enum"]), Texts(@new["enum"]), found);
        if (Number(@new["minimum"]) is { } minimum && !(Number(old["minimum"]) >= minimum))
            found.Add($"{path} has a higher minimum");
        if (Number(@new["maximum"]) is { } maximum && !(Number(old["maximum"]) <= maximum))
            found.Add($"{path} has a lower maximum");
        foreach (var name in (Texts(@new["required"]) ?? []).Except(Texts(old["required"]) ?? []))
            found.Add($"{path}.{name} is now required");
        foreach (var (name, property) in Members(old["properties"]))
            Schema($"{path}.{name}", property, @new["properties"]?[name], found);
        if (@new["items"] is { } items)
            Schema($"{path}[]", old["items"] ?? new JsonObject(), items, found);
        if (@new["contains"] is not null && !JsonNode.DeepEquals(old["contains"], @new["contains"]))
            found.Add($"{path} must contain something else");
        Alternatives(path, "anyOf", old, @new, found);
        Alternatives(path, "oneOf", old, @new, found);
        Conditions(path, old, @new, found);
    }

    /// <summary>Every alternative there was must still be one.</summary>
    private static void Alternatives(string path, string keyword, JsonNode old, JsonNode @new, List<string> found)
    {
        var left = @new[keyword]?.AsArray();
        if (left is null)
            return;
        if (old[keyword] is not JsonArray known)
        {
            found.Add($"{path} now has {keyword}");
            return;
        }
        foreach (var alternative in known.Where(alternative => !left.Any(other => Holds(alternative, other))))
            found.Add($"{path} no longer allows {alternative?.ToJsonString()}");
    }

    /// <summary>Every condition must have been one before.</summary>
    private static void Conditions(string path, JsonNode old, JsonNode @new, List<string> found)
    {
        var (before, after) = (old["allOf"] as JsonArray ?? [], @new["allOf"] as JsonArray ?? []);
        for (var i = 0; i < Math.Max(before.Count, after.Count); i++)
        {
            if (i >= before.Count)
                found.Add($"{path} has a new condition");
            else
                Schema(path, before[i], i < after.Count ? after[i] : null, found);
        }
    }

    private static bool Holds(JsonNode? old, JsonNode? @new)
    {
        var found = new List<string>();
        Schema("", old, @new, found);
        return found.Count == 0;
    }

    private static void Gone(string path, string what, JsonNode? old, JsonNode? @new, List<string> found)
    {
        foreach (var (name, _) in Members(old).Where(member => @new?[member.Key] is null))
            found.Add($"{path} no longer has {what} {name}");
    }

    private static void Narrower(string path, string what, IReadOnlyList<string>? old, IReadOnlyList<string>? @new, List<string> found)
    {
        if (@new is null)
            return;
        if (old is null)
            found.Add($"{path} now has a limited {what}");
        else
            found.AddRange(old.Except(@new).Select(gone => $"{path} no longer has {what} {gone}"));
    }

    private static IReadOnlyList<string>? Types(JsonNode schema) =>
        Texts(schema["type"]) is { } types ? types.Contains("number") ? [.. types, "integer"] : types : null;

    private static IReadOnlyList<string>? Texts(JsonNode? node) => node switch
    {
        null => null,
        JsonArray array => [.. array.Select(item => item?.ToString() ?? "null")],
        _ => [node.ToString()],
    };

    private static double? Number(JsonNode? node) => node?.GetValue<double>();

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Members(JsonNode? node) => node as JsonObject ?? [];
}
