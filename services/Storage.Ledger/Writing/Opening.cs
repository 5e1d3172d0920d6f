namespace Storage.Ledger;

/// <summary>What a transaction is going to need, read in the same round trip in which it begins. What is not named here is read when it is asked for.</summary>
public sealed class Wanted
{
    public HashSet<Guid> Operations { get; } = [];

    /// <summary>Events, to see which of them are logged.</summary>
    public HashSet<Guid> Events { get; } = [];

    public HashSet<Guid> Pools { get; } = [];

    /// <summary>Pools by their names, on one host or on all (null).</summary>
    public HashSet<(string? Host, string Name)> PoolNames { get; } = [];

    /// <summary>Volumes by their pools.</summary>
    public Dictionary<Guid, HashSet<string>> Volumes { get; } = [];

    /// <summary>Resources, to see who stands in line for them.</summary>
    public HashSet<string> Lines { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether any volume at all is built on another one.</summary>
    public bool AnyBacked { get; set; }

    public void AddVolume(Guid pool, string name)
    {
        if (!Volumes.TryGetValue(pool, out var names))
            Volumes[pool] = names = new HashSet<string>(StringComparer.Ordinal);
        names.Add(name);
    }
}

/// <summary>What was found when a transaction began.</summary>
public sealed class Opening
{
    /// <summary>The sequence of the last operation accepted, 0 before the first.</summary>
    public long LastOperation { get; set; }

    /// <summary>That of the last event logged.</summary>
    public long LastEvent { get; set; }

    /// <summary>Changes with every change of a worker.</summary>
    public long WorkersVersion { get; set; }

    /// <summary>Some operation stands in line.</summary>
    public bool AnyQueued { get; set; }

    /// <summary>Some volume is built on another one; null where that was not wanted.</summary>
    public bool? AnyBacked { get; set; }

    public Dictionary<Guid, OperationRow> Operations { get; } = [];

    public HashSet<Guid> LoggedEvents { get; } = [];

    public List<PoolRow> Pools { get; } = [];

    /// <summary>The pools of the names that were wanted; of those on any host, no more than two.</summary>
    public Dictionary<(string? Host, string Name), IReadOnlyList<Guid>> PoolNames { get; } = [];

    public List<VolumeRow> Volumes { get; } = [];

    /// <summary>Whether anybody stands in line for a resource, and whether anybody does who is to have it alone.</summary>
    public Dictionary<string, (bool Any, bool Exclusive)> Lines { get; } = new(StringComparer.Ordinal);
}
