using Storage.Contracts;

namespace Storage.Worker;

/// <summary>A volume that is copied.</summary>
/// <param name="Pool">Its pool, on the same host as the copy's.</param>
/// <param name="Backend">The backend of its pool's type.</param>
/// <param name="Volume">Its name.</param>
/// <param name="Secret">Its passphrase, where it is encrypted; null is the secret whose usage is its path.</param>
public sealed record CloneSource(PoolDefinition Pool, IPoolBackend Backend, string Volume, SecretReference? Secret = null);
