using System.Text.Json;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What a handler has at hand: the run, the backends, and where it says what became true.</summary>
/// <param name="live">The run.</param>
/// <param name="run">The run as the backend sees it.</param>
/// <param name="events">Makes events.</param>
/// <param name="reporter">Takes what is streamed.</param>
/// <param name="backends">The family's backends.</param>
/// <param name="watcher">Hears of what others change.</param>
/// <param name="log">For what is no part of the answer.</param>
public sealed class RunContext(
    LiveRun live, Run run, HostEvents events, Reporter reporter, PoolBackends backends, PoolWatcher watcher, ILogger log)
{
    private readonly Lock gate = new();
    private readonly List<StorageEvent> happened = [];
    private PoolDefinition? pool;
    private bool closed;

    public Run Run { get; } = run;

    public OperationRun Operation { get; } = live.Operation;

    public PoolBackends Backends { get; } = backends;

    public ILogger Log { get; } = log;

    /// <summary>What was begun stays as it is and is resumed: at the next start of the process, or by whoever holds the run then.</summary>
    public bool CutOff => live.CutOff;

    /// <summary>Somebody cancelled it. Its token may say so a moment later.</summary>
    public bool CancelRequested => live.CancelRequested;

    /// <summary>The host may have been changed.</summary>
    public bool HasBegun => live.Begun;

    /// <summary>The pool, checked.</summary>
    public PoolDefinition Pool => pool ??= Definitions.Check(Operation.Pool);

    public Guid PoolId => Pool.Uuid!.Value;

    /// <summary>What the operation found, where finding is its purpose.</summary>
    public JsonElement? Result { get; set; }

    /// <summary>
    /// Takes no more events. Those that became true so far stay true when the run fails; a handler that comes back afterwards, from
    /// storage that hung, is refused what it says and undoes what it did.
    /// </summary>
    public IReadOnlyList<StorageEvent> Close()
    {
        lock (gate)
        {
            closed = true;
            return happened;
        }
    }

    public TRole Require<TRole>()
        where TRole : class, IPoolBackend => Backends.Require<TRole>(Pool.Type);

    public T Arguments<T>()
    {
        try
        {
            return Operation.Arguments.Deserialize<T>(StorageJson.Options)
                ?? throw new StorageException(ErrorCodes.InvalidArgument, $"{Operation.Command} has no arguments.");
        }
        catch (JsonException e)
        {
            throw new StorageException(new StorageError(ErrorCodes.InvalidArgument, e.Message, e.Path), e);
        }
    }

    /// <summary>The pool is now so.</summary>
    public void PoolIs<T>(T data) => Add(Resources.Pool(PoolId), data, Operation.Cause);

    /// <summary>The volume is now so.</summary>
    public void VolumeIs<T>(string volume, T data, EventCause? cause = null) =>
        Add(Resources.Volume(PoolId, volume), data, cause ?? Operation.Cause);

    /// <summary>The volumes were created: all are said to be there, or none.</summary>
    public void AreCreated(IEnumerable<VolumeDefinition> volumes) => Add(
        [.. volumes.Select(volume => events.Create(
            Resources.Volume(PoolId, volume.Name), new VolumeCreated(PoolId, volume), Operation.Cause, Operation.OperationId))]);

    /// <summary>The volumes are gone.</summary>
    public void AreDeleted(IEnumerable<string> volumes) => Add(
        [.. volumes.Select(name => events.Create(
            Resources.Volume(PoolId, name), new VolumeDeleted(PoolId, name), Operation.Cause, Operation.OperationId))]);

    /// <summary>What others change in the pool is told from now on, where that can be: true.</summary>
    public bool Watch() => Backends.Find<IWatchedPool>(Pool.Type) is { } backend && watcher.Watch(Pool, backend);

    /// <summary>It is watched again, as before: what changed in between is found by a refresh.</summary>
    public void WatchAgain()
    {
        if (Watch())
            watcher.WantRefresh(PoolId);
    }

    /// <summary>What others change in the pool is no longer told.</summary>
    public void Unwatch() => watcher.Unwatch(PoolId);

    /// <summary>The host is now so.</summary>
    public void HostIs<T>(T data) => Add(Resources.Host(events.Host), data, Operation.Cause);

    /// <summary>Reports a part of a refresh at once. Ends when the inventory has it.</summary>
    public Task StreamAsync(VolumesObserved chunk, CancellationToken cancellationToken) => reporter.ReportPartAsync(
        events.Create(Resources.Pool(PoolId), chunk, Operation.Cause, Operation.OperationId), cancellationToken);

    /// <summary>Tells a part of a refresh by digests.</summary>
    /// <returns>The places of the ranges that the inventory knows as they are.</returns>
    public async Task<IReadOnlyList<int>> CompareAsync(VolumesCompared part, CancellationToken cancellationToken)
    {
        var told = events.Create(Resources.Pool(PoolId), part, Operation.Cause, Operation.OperationId);
        var taken = await reporter.ReportPartAsync(told, cancellationToken);
        return taken.Known?.FirstOrDefault(known => known.EventId == told.EventId)?.Ranges ?? [];
    }

    private void Add<T>(string resource, T data, EventCause cause) =>
        Add([events.Create(resource, data, cause, Operation.OperationId)]);

    private void Add(StorageEvent[] became)
    {
        lock (gate)
        {
            if (closed)
                throw new OperationCanceledException("The run has ended without this.");
            happened.AddRange(became);
        }
    }
}
