using System.Collections.Concurrent;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>What workers said of themselves, read once however often it is asked for: each batch of commands is checked against it.</summary>
internal static class Announcements
{
    /// <summary>More than any fleet has at a time.</summary>
    private const int Kept = 2000;

    private static readonly ConcurrentDictionary<string, WorkerAnnouncement> Known = new(StringComparer.Ordinal);

    public static WorkerAnnouncement Read(string json)
    {
        if (Known.TryGetValue(json, out var said))
            return said;
        if (Known.Count >= Kept)
            Known.Clear();
        return Known[json] = JsonSerializer.Deserialize<WorkerAnnouncement>(json, StorageJson.Options)!;
    }
}
