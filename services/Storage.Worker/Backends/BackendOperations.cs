using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What a backend can do, from the roles that it has: the same words as the column of <see cref="PoolTypes"/>.</summary>
public static class BackendOperations
{
    private static readonly (PoolOperations Operation, Type Role)[] Roles =
    [
        (PoolOperations.FindSources, typeof(ISourceFinder)),
        (PoolOperations.Build, typeof(IPoolBuilder)),
        (PoolOperations.Delete, typeof(IPoolDeleter)),
        (PoolOperations.CreateVolume, typeof(IVolumeCreator)),
        (PoolOperations.CloneVolume, typeof(IVolumeCloner)),
        (PoolOperations.DeleteVolume, typeof(IVolumeDeleter)),
        (PoolOperations.ResizeVolume, typeof(IVolumeResizer)),
        (PoolOperations.WipeVolume, typeof(IVolumeWiper)),
        (PoolOperations.MergeVolume, typeof(ISnapshotMerger)),
    ];

    public static IReadOnlyList<string> Of(IPoolBackend backend) =>
        [.. Roles.Where(row => row.Role.IsInstanceOfType(backend)).Select(row => row.Operation.ToString())];
}
