using Storage.Contracts;

namespace Storage.Tests.Ledger;

/// <summary>
/// The rules of the queue, said in the simplest way: everything that lives stands in one list in the order of acceptance, and an
/// operation is dispatched when nobody before it claims what it claims, unless both share it.
/// </summary>
internal sealed class QueueModel
{
    public List<Entry> Live { get; } = [];

    public bool WorkerLost { get; set; }

    public IEnumerable<Entry> Before(Entry entry) => Live.TakeWhile(other => other != entry).Where(other => Conflict(other, entry));

    public void Add(Entry entry)
    {
        Live.Add(entry);
        Advance();
    }

    public void End(Entry entry)
    {
        Live.Remove(entry);
        Advance();
    }

    /// <summary>Everything with a deadline: what stands in line is gone, what is dispatched has been asked for.</summary>
    public void Expire()
    {
        Live.RemoveAll(entry => entry is { HasDeadline: true, Dispatched: false });
        foreach (var entry in Live.Where(entry => entry is { HasDeadline: true, CancelRequested: false }))
            entry.ExpiryRequested = true;
        Advance();
    }

    public void Advance()
    {
        foreach (var entry in Live.Where(entry => !WorkerLost && !entry.Dispatched && !Before(entry).Any()).ToList())
            entry.Dispatched = true;
    }

    private static bool Conflict(Entry one, Entry other) => one.Claims.Any(mine =>
        other.Claims.Any(its => its.Resource == mine.Resource && (its.Exclusive || mine.Exclusive)));

    public sealed class Entry(Guid id, bool hasDeadline, params (string Resource, bool Exclusive)[] claims)
    {
        public Guid Id => id;

        public bool HasDeadline => hasDeadline;

        public IReadOnlyList<(string Resource, bool Exclusive)> Claims => claims;

        public bool Dispatched { get; set; }

        public bool CancelRequested { get; set; }

        public bool ExpiryRequested { get; set; }

        /// <summary>What it is when its worker says that it ended without running it.</summary>
        public string EndWhenStopped => CancelRequested || !ExpiryRequested ? nameof(OperationCancelled) : nameof(OperationExpired);
    }
}
