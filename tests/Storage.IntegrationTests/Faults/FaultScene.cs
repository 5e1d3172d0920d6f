using System.Collections.Concurrent;

namespace Storage.IntegrationTests;

/// <summary>What a fault run has at hand.</summary>
/// <param name="Client">Sends commands, and keeps what it was promised.</param>
/// <param name="Pools">Those that commands are sent to.</param>
/// <param name="Probe">One more pool, for commands that tell when all works again.</param>
/// <param name="Secrets">What nobody may find anywhere.</param>
public sealed record FaultScene(
    Fleet Fleet, TestBackends Backends, FaultClient Client, IReadOnlyList<FaultPool> Pools, FaultPool Probe, Surroundings Around, IReadOnlyList<string> Secrets)
{
    public FaultTally Tally { get; } = new();
}

/// <summary>What a run can spoil besides the services themselves.</summary>
/// <param name="Disk">Null where nothing can be mounted.</param>
/// <param name="Clocks">Null where clocks cannot be set.</param>
public sealed record Surroundings(SmallDisk? Disk, UnreliableTool Tool, ServiceClocks? Clocks, OldMessages Messages);

/// <summary>The faults of a run.</summary>
public sealed class FaultTally
{
    private int kills;

    /// <summary>How often each kind of fault was injected.</summary>
    public ConcurrentDictionary<string, int> Injected { get; } = new();

    /// <summary>From a kill to the end of a command that was sent then.</summary>
    public ConcurrentQueue<TimeSpan> Recoveries { get; } = new();

    public int Kills => kills;

    public void Count(string fault) => Injected.AddOrUpdate(fault, 1, (_, count) => count + 1);

    public void CountKill() => Interlocked.Increment(ref kills);
}
