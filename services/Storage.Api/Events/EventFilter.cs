using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>Which events a reader wants.</summary>
/// <param name="Types">Any of these names; empty for all.</param>
/// <param name="Resource">What the resource begins with; null for all.</param>
/// <param name="Host">The host; null for all.</param>
public sealed record EventFilter(IReadOnlyList<string> Types, string? Resource, string? Host)
{
    public bool Matches(StorageEvent @event) =>
        (Types.Count == 0 || Types.Contains(@event.Type))
        && (Resource is null || @event.Resource.StartsWith(Resource, StringComparison.Ordinal))
        && (Host is null || @event.Host == Host);

    public IQueryable<EventRow> Apply(IQueryable<EventRow> events)
    {
        if (Types.Count > 0)
            events = events.Where(row => Types.Contains(row.Type));
        if (Resource is { Length: > 0 } prefix)
        {
            var end = PrefixRange.End(prefix);
            events = events.Where(row => string.Compare(row.Resource, prefix) >= 0 && string.Compare(row.Resource, end) < 0);
        }
        return Host is null ? events : events.Where(row => row.Host == Host);
    }
}
