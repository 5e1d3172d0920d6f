namespace Storage.Contracts;

/// <summary>
/// What is the value of a secret that an operation names? Asked at <see cref="Queues.Secrets"/> by the worker that runs the operation, when it
/// needs the value. Answered by <see cref="SecretResolved"/>; asking again changes nothing.
/// </summary>
/// <param name="OperationId">The operation. It is dispatched to this worker or running there, and names the secret, as does its pool's definition.</param>
/// <param name="Family">The asking worker.</param>
/// <param name="Host">Its host.</param>
/// <param name="Instance">As it announced itself.</param>
/// <param name="Secret">The secret, as the operation names it.</param>
/// <param name="PublicKey">A key that was made for this question alone, as of <see cref="SecretSealing"/>: only who made it can read the answer.</param>
public sealed record ResolveSecret(Guid OperationId, PoolFamily Family, string Host, Guid Instance, SecretReference Secret, byte[] PublicKey);

/// <summary>The answer to <see cref="ResolveSecret"/>: the value or an error.</summary>
/// <param name="OperationId">The operation.</param>
/// <param name="Value">The value, sealed to the key of the question; null where there is an error.</param>
/// <param name="Error">
/// <see cref="ErrorCodes.SecretNotFound"/>, <see cref="ErrorCodes.SecretWithoutValue"/>, <see cref="ErrorCodes.SecretRefused"/> or
/// <see cref="ErrorCodes.SecretsUnavailable"/>; null where there is a value.
/// </param>
public sealed record SecretResolved(Guid OperationId, SealedValue? Value = null, StorageError? Error = null);

/// <summary>Bytes that only one key opens, see <see cref="SecretSealing"/>.</summary>
/// <param name="PublicKey">The key that was made for it by whoever sealed it.</param>
/// <param name="Nonce">12 bytes.</param>
/// <param name="Ciphertext">As long as the value.</param>
/// <param name="Tag">16 bytes.</param>
public sealed record SealedValue(byte[] PublicKey, byte[] Nonce, byte[] Ciphertext, byte[] Tag);
