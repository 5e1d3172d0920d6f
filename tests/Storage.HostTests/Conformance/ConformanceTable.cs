using System.Collections.Concurrent;
using Xunit;

namespace Storage.HostTests;

/// <summary>How the facts went for each kind of pool, shown at the end of the run.</summary>
internal static class ConformanceTable
{
    private static readonly ConcurrentDictionary<string, ConcurrentQueue<TestResult>> Results = [];

    public static void Add(string kind, TestResult result) => Results.GetOrAdd(kind, _ => []).Enqueue(result);

    /// <summary>Nothing where no fact was run.</summary>
    public static void Print()
    {
        if (Results.IsEmpty)
            return;
        Row("type", "pool", "where", "result");
        foreach (var (name, kind) in PoolKinds.All.Where(kind => Results.ContainsKey(kind.Key)))
            Row(kind.Type.ToString().ToLowerInvariant(), name, kind.Place.ToString().ToLowerInvariant(), Said([.. Results[name]]));
        foreach (var type in PoolKinds.NotBuiltTypes)
            Row(type, "", "", PoolKinds.NotBuilt);
    }

    private static string Said(IReadOnlyList<TestResult> results) => string.Join(
        ", ", results.CountBy(result => result).OrderBy(count => count.Key).Select(count => $"{count.Value} {count.Key.ToString().ToLowerInvariant()}"));

    private static void Row(string type, string pool, string place, string result) => RunNotes.Add($"| {type,-12} | {pool,-20} | {place,-7} | {result,-24} |");
}
