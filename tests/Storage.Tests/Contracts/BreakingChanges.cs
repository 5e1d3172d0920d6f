using System.Text.Json.Nodes;

namespace Storage.Tests.Contracts;

/// <summary>What in a new document would break those who were written for the old one.</summary>
internal static class BreakingChanges
{
    public static IReadOnlyList<string> Between(JsonNode before, JsonNode after)
    {
        var found = new List<string>();
        Compare(before["channels"], after["channels"], "channels", found);
        Compare(before["components"], after["components"], "components", found);
        return found;
    }

    private static void Compare(JsonNode? before, JsonNode? after, string path, List<string> found)
    {
        switch (before)
        {
            case JsonObject old when after is JsonObject now:
                foreach (var (name, value) in old)
                {
                    if (name is "description" or "title")
                        continue;
                    if (!now.ContainsKey(name))
                        found.Add($"field-removed {path}/{name}");
                    else
                        Compare(value, now[name], $"{path}/{name}", found);
                }
                if (now["required"] is JsonArray required)
                    found.AddRange(required.Select(item => item!.ToString()).Except((old["required"] as JsonArray)?.Select(item => item!.ToString()) ?? [])
                        .Where(name => old.ContainsKey("properties")).Select(name => $"newly-required {path}/{name}"));
                break;
            case JsonArray old when after is JsonArray now:
                // Values of an enum, kinds of a type: none may go. What is required may become optional.
                if (!path.EndsWith("/required", StringComparison.Ordinal))
                    found.AddRange(old.Select(item => item?.ToJsonString() ?? "null").Except(now.Select(item => item?.ToJsonString() ?? "null")).Select(item => $"value-removed {path} {item}"));
                break;
            case null when after is null:
                break;
            default:
                if (before?.ToJsonString() != after?.ToJsonString())
                    found.Add($"changed {path}");
                break;
        }
    }
}
