using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>A pool: what is asked for, apart from what was last seen.</summary>
public sealed class PoolRow
{
    public Guid Id { get; init; }
    public required string Name { get; set; }

    /// <summary>The host that has it; empty for a cluster-scoped pool.</summary>
    public required string Host { get; set; }

    public PoolType Type { get; set; }

    // Asked for.

    /// <summary><see cref="PoolDefinition"/> as JSON: what an active pool runs with.</summary>
    public required string Definition { get; set; }

    /// <summary>The definition for the next start, where an active pool was defined again.</summary>
    public string? NextDefinition { get; set; }

    /// <summary>Rises with every definition; the ETag.</summary>
    public int Version { get; set; }

    /// <summary>False: transient, forgotten when it stops.</summary>
    public bool Persistent { get; set; }

    public bool Autostart { get; set; }

    // Seen.

    public PoolState State { get; set; }

    /// <summary>Why the state is not the one asked for.</summary>
    public string? Problem { get; set; }

    public long Capacity { get; set; }
    public long Allocation { get; set; }
    public long Available { get; set; }

    /// <summary>The directory with the volumes, without symbolic links; null where it was not seen.</summary>
    public string? Directory { get; set; }

    /// <summary>JSON of the permissions seen on the target.</summary>
    public string? Permissions { get; set; }

    /// <summary>JSON of what was seen free of its device, <see cref="FreeExtent"/> by extent.</summary>
    public string? FreeExtents { get; set; }

    public DateTimeOffset? ObservedAt { get; set; }

    /// <summary>Its worker tells by itself what others change in it.</summary>
    public bool Watched { get; set; }

    /// <summary>The revision of the newest event applied.</summary>
    public long Revision { get; set; }

    // Bookkeeping of the timers; not rebuilt from the log.

    /// <summary>The worker came up and the pool, which has autostart, has not been started since.</summary>
    public bool AutostartDue { get; set; }

    public int AutostartFailures { get; set; }

    /// <summary>The next automatic start or refresh is not before this.</summary>
    public DateTimeOffset? NotBefore { get; set; }

    public bool Active => State is not PoolState.Inactive;
}

/// <summary>A volume as last seen. A removed one stays as a marker for a while, so that a late event cannot bring it back.</summary>
public sealed class VolumeRow
{
    public Guid PoolId { get; init; }
    public required string Name { get; init; }
    public bool Removed { get; set; }
    public string? Key { get; set; }
    public string? Path { get; set; }
    public VolumeKind Type { get; set; }
    public string? Format { get; set; }

    /// <summary>The absolute path of its backing store.</summary>
    public string? BackingPath { get; set; }

    public long Capacity { get; set; }
    public long Allocation { get; set; }
    public long Physical { get; set; }

    /// <summary><see cref="VolumeDefinition"/> as JSON, whole.</summary>
    public required string Document { get; set; }

    /// <summary><see cref="VolumeDigest.Of"/> the document; null where that was written before digests were kept.</summary>
    public byte[]? Digest { get; set; }

    public string? Problem { get; set; }

    /// <summary>When it was last told of by itself; a later refresh of the pool has seen it too.</summary>
    public DateTimeOffset ObservedAt { get; set; }

    public long Revision { get; set; }
}

/// <summary>A worker of one family on one host, as it announced itself.</summary>
public sealed class WorkerRow
{
    public required string Host { get; init; }
    public PoolFamily Family { get; init; }
    public Guid Instance { get; set; }

    /// <summary><see cref="WorkerAnnouncement"/> as JSON.</summary>
    public required string Announcement { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>Bookkeeping of the watch; not rebuilt from the log.</summary>
    public DateTimeOffset LastSeenAt { get; set; }

    public bool Lost { get; set; }
    public long Revision { get; set; }
}
