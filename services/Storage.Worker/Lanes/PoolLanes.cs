using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The lanes of the pools that something runs or hangs in.</summary>
public sealed class PoolLanes(LaneLimits limits, StartedTools tools, TimeProvider time, ILogger log)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Guid, Lane> lanes = [];

    /// <summary>Calls that hang, in all lanes.</summary>
    public int Hung
    {
        get
        {
            lock (gate)
                return lanes.Values.Sum(lane => lane.Hung);
        }
    }

    /// <summary>As <see cref="Lane.RunAsync"/>, in the pool's lane; what has no pool shares a lane.</summary>
    internal Task<StorageError?> RunAsync(
        PoolDefinition? pool, Func<CancellationToken, Task> start, bool frees, CancellationToken cancellationToken, Func<bool>? mayGoOn = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var id = pool?.Uuid ?? Guid.Empty;
        lock (gate)
        {
            if (!lanes.TryGetValue(id, out var lane))
                lanes.Add(id, lane = new Lane(pool?.Target?.Path ?? pool?.Name ?? "this host", limits, time, log) { Tools = tools, Left = () => Forget(id) });
            return lane.RunAsync(start, frees, cancellationToken, mayGoOn);
        }
    }

    private void Forget(Guid pool)
    {
        lock (gate)
        {
            if (lanes.TryGetValue(pool, out var lane) && lane.IsEmpty)
                lanes.Remove(pool);
        }
    }
}
