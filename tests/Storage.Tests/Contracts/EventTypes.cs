using Storage.Contracts;

namespace Storage.Tests;

/// <summary>The records of Events.cs, in its order.</summary>
internal static class EventTypes
{
    public static IReadOnlyList<Type> All { get; } =
    [
        typeof(PoolDefined), typeof(PoolAutostartSet), typeof(PoolUndefined), typeof(PoolBuilt), typeof(PoolStarted), typeof(PoolStopped),
        typeof(PoolRefreshed), typeof(PoolDeleted), typeof(PoolStateChanged), typeof(PoolSpaceChanged), typeof(PoolSourcesFound), typeof(PoolRefreshWanted),
        typeof(VolumeCreated), typeof(VolumeCloned), typeof(VolumeResized), typeof(VolumeWiped), typeof(VolumeMerged), typeof(VolumeDeleted),
        typeof(VolumeAppeared), typeof(VolumeChanged), typeof(VolumeVanished), typeof(ThinPoolFilled), typeof(VolumesObserved), typeof(VolumesCompared), typeof(VolumesSeen),
        typeof(OperationAccepted), typeof(OperationProgressed), typeof(OperationSucceeded), typeof(OperationFailed),
        typeof(OperationCancelled), typeof(OperationExpired),
        typeof(WorkerAnnounced), typeof(WorkerLost), typeof(DeadLettered),
    ];

    /// <summary>The events that the event log keeps, and so the ones that subscribers get.</summary>
    public static IEnumerable<Type> Logged => All.Except([typeof(VolumesObserved), typeof(VolumesCompared), typeof(VolumesSeen), typeof(PoolRefreshWanted)]);
}
