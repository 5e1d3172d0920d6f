using Storage.Contracts;

namespace Storage.IntegrationTests;

/// <summary>What an event log says, whatever has failed: each rule gives what does not hold.</summary>
/// <param name="operations">All that are known when the log is read.</param>
public sealed class EventLogRules(IReadOnlyList<StorageEvent> events, IReadOnlyDictionary<Guid, OperationSeen> operations)
{
    private static readonly HashSet<string> Ending =
        [nameof(OperationSucceeded), nameof(OperationFailed), nameof(OperationCancelled), nameof(OperationExpired)];

    private readonly ILookup<Guid, StorageEvent> ends = events.Where(entry => Ending.Contains(entry.Type))
        .ToLookup(entry => entry.Data.GetProperty("operationId").GetGuid());

    /// <summary>Nothing is missing or twice, and of each resource the revisions rise.</summary>
    public IEnumerable<string> Order()
    {
        for (var i = 0; i < events.Count; i++)
            if (events[i].Sequence != i + 1)
                yield return $"The event log has {events[i].Sequence} at place {i + 1}.";
        if (events.DistinctBy(entry => entry.EventId).Count() != events.Count)
            yield return "An event is logged twice.";
        foreach (var resource in events.GroupBy(entry => entry.Resource))
        {
            var revisions = resource.Select(entry => entry.Revision).ToList();
            if (revisions.Zip(revisions.Skip(1)).Any(pair => pair.First >= pair.Second))
                yield return $"The revisions of {resource.Key} do not rise: {string.Join(' ', revisions)}";
        }
    }

    /// <summary>What was accepted is known, and has one end.</summary>
    /// <param name="over">Those that must have ended.</param>
    public IEnumerable<string> Ends(IReadOnlyDictionary<Guid, Promise> accepted, IEnumerable<Guid> over)
    {
        foreach (var (id, promise) in accepted)
            if (!operations.ContainsKey(id))
                yield return $"{promise.What} was accepted as {id}, which nobody knows.";
        foreach (var id in over)
            if (ends[id].Count() is not 1 and var count)
                yield return $"Operation {operations[id]} has {count} ends.";
        foreach (var end in ends)
            if (!operations.ContainsKey(end.Key))
                yield return $"{end.Key} has an end and is no operation.";
    }

    /// <summary>What the broker has confirmed has become an operation or a dead letter.</summary>
    public IEnumerable<string> Published(IEnumerable<Guid> published, IReadOnlySet<string> letters) => published
        .Where(id => !operations.ContainsKey(id) && !letters.Contains(id.ToString()))
        .Select(id => $"The command {id} was published and confirmed, and is neither an operation nor a dead letter.");

    /// <summary>Of the operations on one volume, none succeeds before one that was accepted before it has ended.</summary>
    public IEnumerable<string> Turns()
    {
        var before = new Dictionary<string, (OperationSeen Operation, long End)>(StringComparer.Ordinal);
        foreach (var entry in events.Where(entry => entry.Type == nameof(OperationAccepted)))
        {
            if (!operations.TryGetValue(entry.Read<OperationAccepted>().OperationId, out var operation)
                || Resources.VolumeOf(operation.Resource) is null || ends[operation.Id].FirstOrDefault() is not { } end)
                continue;
            var older = before.GetValueOrDefault(operation.Resource);
            if (older.End > end.Sequence && end.Type == nameof(OperationSucceeded))
                yield return $"Operation {operation} ended before {older.Operation}, which was accepted before it.";
            if (older.End < end.Sequence)
                before[operation.Resource] = (operation, end.Sequence!.Value);
        }
    }

    /// <summary>Nothing is made that is there, and nothing is removed that is not.</summary>
    public IEnumerable<string> Volumes()
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in events)
        {
            if (entry.Type is nameof(VolumeCreated) or nameof(VolumeCloned) or nameof(VolumeAppeared) && !there.Add(entry.Resource))
                yield return $"{entry.Type} #{entry.Sequence} of {entry.Resource}, which is there already.";
            else if (entry.Type is nameof(VolumeDeleted) or nameof(VolumeVanished) && !there.Remove(entry.Resource))
                yield return $"{entry.Type} #{entry.Sequence} of {entry.Resource}, which is not there.";
        }
    }

    /// <summary>Where nobody else is at work, nothing happens but by commands: each has made what it says, and nothing otherwise.</summary>
    public IEnumerable<string> Quiet(IReadOnlySet<Guid> pools, IReadOnlyDictionary<Guid, Promise> accepted)
    {
        foreach (var entry in events.Where(entry => IsIn(pools, entry.Resource) && entry.Cause == EventCause.External))
            if (entry.Type is nameof(VolumeAppeared) or nameof(VolumeVanished) || (entry.Type == nameof(VolumeChanged) && !IsLook(entry)))
                yield return $"Nobody else is at work there, and {entry.Type} #{entry.Sequence} of {entry.Resource} is said.";
        var made = events.Where(entry => entry.Type == nameof(VolumeCreated) && entry.CommandId is not null).ToLookup(entry => entry.CommandId!.Value);
        foreach (var operation in operations.Values.Where(operation => operation.Creates && IsIn(pools, operation.Resource)))
        {
            var (count, wanted) = (made[operation.Id].Count(), accepted.GetValueOrDefault(operation.Id)?.Volumes ?? 1);
            if (count != (operation.State == "succeeded" ? wanted : 0))
                yield return $"Operation {operation} of {wanted} volumes has made {count}.";
        }
    }

    /// <summary>What somebody asked to look at is told as it was seen.</summary>
    private bool IsLook(StorageEvent entry) =>
        entry.CommandId is { } id && operations.GetValueOrDefault(id)?.Command == nameof(RefreshVolume);

    private static bool IsIn(IReadOnlySet<Guid> pools, string resource) => Resources.PoolOf(resource) is { } pool && pools.Contains(pool);
}

/// <summary>An operation as the API shows it.</summary>
public sealed record OperationSeen(Guid Id, string Command, string State, string Resource)
{
    public bool Creates => Command is nameof(CreateVolume) or nameof(CreateVolumes);

    public bool Ended => State is not ("queued" or "dispatched" or "running");

    public override string ToString() => $"{Id} ({Command} on {Resource}, {State})";
}
