namespace Storage.Worker;

/// <summary>
/// The names of one pool that have changed and are to be looked at: gathered until it is quiet, each given out once. What changes all the
/// time is given out every <see cref="Rest"/>; more than <see cref="Most"/> names are everything. Times are of one clock that only goes
/// forward. Not for several threads.
/// </summary>
public sealed class ChangedNames
{
    /// <summary>Names are given out when nothing has changed for so long.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    /// <summary>And at the latest so long after the first of them changed.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <summary>A name that was given out comes again after this at the earliest; so does everything.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(10);

    /// <summary>With more names than this gathered, looking at everything costs less.</summary>
    public const int Most = 2000;

    private readonly HashSet<string> gathered = new(StringComparer.Ordinal);
    private readonly HashSet<string> ours = new(StringComparer.Ordinal);
    private readonly HashSet<string> held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> given = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> resting = new(StringComparer.Ordinal);
    private TimeSpan first;
    private TimeSpan last;
    private TimeSpan? allGiven;
    private bool all;

    /// <summary>A name has changed.</summary>
    public void Add(string name, TimeSpan now)
    {
        if (running.ContainsKey(name))
            held.Add(name);
        else if (given.TryGetValue(name, out var at) && now - at < Rest)
            resting.TryAdd(name, at + Rest);
        else if (!resting.ContainsKey(name))
            Gather(name, now);
        if (gathered.Count - ours.Count > Most)
            AddAll(now);
    }

    /// <summary>Anything may have changed.</summary>
    public void AddAll(TimeSpan now)
    {
        Touch(now);
        all = true;
        gathered.Clear();
        ours.Clear();
        resting.Clear();
    }

    /// <summary>A run of ours changes these names from now on: they are put off until <see cref="End"/>.</summary>
    public void Begin(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            running[name] = running.GetValueOrDefault(name) + 1;
            ours.Remove(name);
            if (gathered.Remove(name) | resting.Remove(name))
                held.Add(name);
        }
    }

    /// <summary>The run has ended, and what it did was told.</summary>
    public void End(IEnumerable<string> names, TimeSpan now)
    {
        foreach (var name in names)
        {
            if (--running[name] > 0)
                continue;
            running.Remove(name);
            if (!held.Remove(name) || all)
                continue;
            // Most likely only what the run did: looking once more costs a name neither its turn nor a place among the most.
            Touch(now);
            if (gathered.Add(name))
                ours.Add(name);
        }
    }

    /// <summary>A name that was given out comes again at once: nothing was made of it.</summary>
    public void Again(string name, TimeSpan now)
    {
        given.Remove(name);
        Add(name, now);
    }

    /// <summary>When <see cref="Take"/> has something to give; null where nothing has changed.</summary>
    public TimeSpan? Due()
    {
        TimeSpan? due = IsGathering ? GatheredDue : null;
        foreach (var at in resting.Values)
            due = due is null || at < due ? at : due;
        return due;
    }

    /// <returns>The names that are due; null where everything is.</returns>
    public IReadOnlyList<string>? Take(TimeSpan now)
    {
        foreach (var (name, at) in given)
        {
            if (now - at >= Rest)
                given.Remove(name);
        }
        var isDue = IsGathering && GatheredDue <= now;
        if (all && isDue)
        {
            all = false;
            allGiven = now;
            return null;
        }
        var names = new List<string>();
        foreach (var (name, at) in resting)
        {
            if (at > now)
                continue;
            resting.Remove(name);
            given[name] = now;
            names.Add(name);
        }
        if (!isDue)
            return names;
        foreach (var name in gathered)
        {
            if (!ours.Contains(name))
                given[name] = now;
            names.Add(name);
        }
        gathered.Clear();
        ours.Clear();
        return names;
    }

    private bool IsGathering => all || gathered.Count > 0;

    private TimeSpan GatheredDue
    {
        get
        {
            var due = last + Quiet < first + Longest ? last + Quiet : first + Longest;
            return all && allGiven + Rest is { } rested && rested > due ? rested : due;
        }
    }

    private void Gather(string name, TimeSpan now)
    {
        Touch(now);
        if (all)
            return;
        gathered.Add(name);
        ours.Remove(name);
    }

    private void Touch(TimeSpan now)
    {
        if (!IsGathering)
            first = now;
        last = now;
    }
}
