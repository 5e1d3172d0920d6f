using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The backends of one family in this process, by pool type.</summary>
public sealed class PoolBackends(IEnumerable<IPoolBackend> backends)
{
    private readonly Dictionary<PoolType, IPoolBackend> byType = backends.ToDictionary(backend => backend.Type);

    public IReadOnlyCollection<IPoolBackend> All => byType.Values;

    /// <summary>The role of a pool type's backend.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> where the type has no such role.</exception>
    public TRole Require<TRole>(PoolType type)
        where TRole : class, IPoolBackend =>
        Find<TRole>(type) ?? throw new StorageException(
            ErrorCodes.Unsupported,
            byType.ContainsKey(type)
                ? $"Pools of type '{PoolTypes.Of(type).Name}' cannot do this."
                : $"This worker does not serve pools of type '{PoolTypes.Of(type).Name}'.");

    /// <summary>The role of a pool type's backend, or null where the type has no such role.</summary>
    public TRole? Find<TRole>(PoolType type)
        where TRole : class, IPoolBackend => byType.GetValueOrDefault(type) as TRole;
}
