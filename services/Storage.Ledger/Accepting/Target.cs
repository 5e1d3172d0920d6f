using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>What a command acts on, once its names are resolved.</summary>
/// <param name="Host">The host whose worker runs it; empty for any replica of a cluster type's worker.</param>
/// <param name="Type">The pool type concerned; null for commands on operations.</param>
/// <param name="Pool">The pool; null where it is not there yet, or none is concerned.</param>
/// <param name="Volumes">The volumes by name, for commands on volumes.</param>
/// <param name="SourcePool">Another pool that is read from.</param>
/// <param name="SourceVolume">The volume that is read from.</param>
public sealed record Target(
    string Host, PoolType? Type, PoolRow? Pool, IReadOnlyList<string> Volumes, PoolRow? SourcePool = null, string? SourceVolume = null)
{
    /// <summary>Known volumes that new ones are built on.</summary>
    public IReadOnlyList<(PoolRow Pool, string Volume)> Backing { get; init; } = [];

    /// <summary>The name of a volume that is to be made is for the pool to give: nobody can say which one it is going to be.</summary>
    public bool MakesUnnamed { get; init; }

    /// <summary>The pool's id, also of one that is about to be defined.</summary>
    public Guid? PoolId { get; init; } = Pool?.Id;

    public string ResourceOf(Submission submission) => (PoolId, submission.Command) switch
    {
        (_, CancelOperation cancel) => Resources.Operation(cancel.OperationId),
        ({ } pool, IVolumeCommand known) => Resources.Volume(pool, known.Volume),
        ({ } pool, _) when Volumes.Count == 1 => Resources.Volume(pool, Volumes[0]),
        ({ } pool, _) => Resources.Pool(pool),
        _ => Resources.Host(Host),
    };

    /// <summary>
    /// What the command uses and so what it waits for: a pool verb has the pool for itself, and so has one that makes a volume without a
    /// name; another volume verb shares the pool and has its volumes for itself; what is only read is shared.
    /// </summary>
    public IEnumerable<(string Resource, bool Exclusive)> Claims(CommandScope scope)
    {
        if (PoolId is not { } pool || scope is not (CommandScope.Pool or CommandScope.Volume))
            yield break;
        yield return (Resources.Pool(pool), scope is CommandScope.Pool || MakesUnnamed);
        foreach (var volume in Volumes)
            yield return (Resources.Volume(pool, volume), true);
        var read = SourceVolume is null ? Backing : [.. Backing, (SourcePool ?? Pool!, SourceVolume)];
        foreach (var other in read.Select(row => row.Pool.Id).Distinct().Where(id => id != pool))
            yield return (Resources.Pool(other), false);
        foreach (var (id, volume) in read.Select(row => (row.Pool.Id, row.Volume)).Distinct().Where(row => row.Id != pool || !Volumes.Contains(row.Volume)))
            yield return (Resources.Volume(id, volume), false);
    }

    /// <summary>The queue of the worker that runs commands on this target.</summary>
    public string Queue
    {
        get
        {
            var info = PoolTypes.Of(Type!.Value);
            return Host.Length > 0 ? Queues.Worker(info.Family, Host) : Queues.Worker(info.Family);
        }
    }
}
