using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Definitions are checked once more before a backend is called: what comes by message has not necessarily passed our own door.
/// The one place for it.
/// </summary>
internal static class Definitions
{
    public static PoolDefinition Check(PoolDefinition? pool)
    {
        if (pool is null)
            throw new StorageException(ErrorCodes.InvalidArgument, "The run has no pool definition.", "pool");
        if (pool.Uuid is null)
            throw new StorageException(ErrorCodes.InvalidDefinition, "The pool definition has no uuid.", "uuid");
        return PoolRules.Complete(pool);
    }

    public static VolumeDefinition Check(PoolDefinition pool, VolumeDefinition volume, VolumePurpose purpose = VolumePurpose.Create) =>
        VolumeRules.Complete(PoolTypes.Of(pool.Type), volume, purpose);

    public static SecretReference? Check(SecretReference? secret, string field) => secret is null ? null : SecretRules.Complete(secret, field);

    /// <summary>A name that stays inside the pool and is no option of a tool.</summary>
    public static string CheckName(string? name)
    {
        VolumeRules.CheckName(name, "volume");
        return name!;
    }
}
