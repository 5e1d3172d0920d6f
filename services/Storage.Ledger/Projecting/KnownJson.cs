using System.Collections.Concurrent;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// What is kept as JSON, changes seldom and is looked at by each batch of commands, read once however often it is asked for: what workers said of
/// themselves, and definitions of pools.
/// </summary>
internal static class KnownJson<T>
    where T : class
{
    /// <summary>More than most fleets have at a time.</summary>
    private const int Kept = 5000;

    private static readonly ConcurrentDictionary<string, T> Known = new(StringComparer.Ordinal);

    public static T Read(string json)
    {
        if (Known.TryGetValue(json, out var read))
            return read;
        if (Known.Count >= Kept)
            Known.Clear();
        return Known[json] = JsonSerializer.Deserialize<T>(json, StorageJson.Options)!;
    }
}
