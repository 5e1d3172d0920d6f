using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A pool that is watched. Everything but its identity is the <see cref="PoolWatcher"/>'s, under its lock.</summary>
internal sealed class WatchedPool(Guid id)
{
    public Guid Id { get; } = id;

    /// <summary>As it was when it was last started or refreshed.</summary>
    public required PoolDefinition Definition { get; set; }

    public required IPoolBackend Backend { get; set; }

    /// <summary>The kernel's number; null where the watch has ended.</summary>
    public int? Watch { get; set; }

    public ChangedNames Changes { get; } = new();

    /// <summary>When its directory was removed, moved away or unmounted; null while nothing is known of that.</summary>
    public TimeSpan? LostAt { get; set; }

    /// <summary>It is being looked at.</summary>
    public bool Looking { get; set; }

    /// <summary>What runs have begun to change since the look began: what was seen of it may be theirs.</summary>
    public HashSet<string> Disturbed { get; } = new(StringComparer.Ordinal);
}
