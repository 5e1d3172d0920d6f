using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The workers as they last were, kept in the process from one transaction to the next for as long as none of them has changed: each batch of
/// commands is checked against them.
/// </summary>
public sealed class KnownWorkers
{
    /// <summary>A process of an older version of this program changes workers without a word of it.</summary>
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(10);

    private volatile Version? kept;

    /// <summary>Those that were seen last; null before the first.</summary>
    internal WorkerSet? Newest => kept?.Workers;

    /// <summary>Those of a version; null where they are not known.</summary>
    internal WorkerSet? Of(long version) =>
        kept is { } known && known.Number == version && Environment.TickCount64 - known.At < AtMost.TotalMilliseconds ? known.Workers : null;

    /// <summary>Only what was committed. Transactions take turns, so it is never an older version that comes later.</summary>
    internal void Keep(long version, WorkerSet workers) => kept = new Version(version, workers, Environment.TickCount64);

    private sealed record Version(long Number, WorkerSet Workers, long At);
}

/// <summary>All workers at one moment.</summary>
internal sealed class WorkerSet
{
    private readonly ILookup<(PoolFamily, string), WorkerAnnouncement> onHosts;
    private readonly ILookup<PoolFamily, WorkerAnnouncement> everywhere;

    public WorkerSet(IReadOnlyList<WorkerRow> rows)
    {
        var said = rows.Select(row => (row.Family, row.Host, Said: KnownJson<WorkerAnnouncement>.Read(row.Announcement))).ToList();
        onHosts = said.ToLookup(row => (row.Family, row.Host), row => row.Said);
        everywhere = said.ToLookup(row => row.Family, row => row.Said);
        Hosts = rows.ToLookup(row => row.Family, row => row.Host);
        Lost = LostWorkers.Queues(rows.Select(row => (row.Host, row.Family, row.Lost, row.LastSeenAt)));
    }

    /// <summary>The hosts on which a worker of a family has ever come up.</summary>
    public ILookup<PoolFamily, string> Hosts { get; }

    /// <summary>The one host of a family's workers; null where there are several, or none.</summary>
    public string? OnlyHost(PoolFamily family) => Hosts[family].Take(2).ToList() is [var only] ? only : null;

    /// <summary>As <see cref="LostWorkers.QueuesAsync"/>.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Lost { get; }

    /// <summary>What the workers of a family said of themselves, on one host or, where that is empty, on all.</summary>
    public IEnumerable<WorkerAnnouncement> Said(PoolFamily family, string host) => host.Length > 0 ? onHosts[(family, host)] : everywhere[family];
}
