using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A volume that is copied.</summary>
/// <param name="Pool">Its pool, on the same host as the copy's.</param>
/// <param name="Backend">The backend of its pool's type; null where another family's worker has it.</param>
/// <param name="Volume">Its name.</param>
/// <param name="Secret">Its passphrase, where it is encrypted; null is the secret whose usage is its path.</param>
public sealed record CloneSource(PoolDefinition Pool, IPoolBackend? Backend, string Volume, SecretReference? Secret = null)
{
    /// <summary>As it was last seen; null where that was not told.</summary>
    public VolumeDefinition? Seen { get; init; }

    /// <summary>It is a file in the pool's directory, which no backend is needed to read.</summary>
    public bool IsFile => PoolTypes.Of(Pool.Type).HasFiles;

    /// <summary>Such a volume cannot be copied there.</summary>
    public StorageException Refused() => new(
        ErrorCodes.Unsupported, $"A volume of a pool of type '{PoolTypes.Of(Pool.Type).Name}' cannot be copied into this pool.", "sourcePool");
}
