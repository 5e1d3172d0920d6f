using System.Security.Cryptography;
using System.Text;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The keys of secrets at rest. AES-256-GCM, with the secret's uuid and the key's id authenticated, so that a value that is put into another
/// row is not decrypted there.
/// </summary>
public sealed class SecretRing
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int IdBytes = 8;
    private const string IdPurpose = "storage/secret-key-id/1";

    private static readonly char[] Separators = [' ', ',', '\t', '\r', '\n'];

    private readonly List<(string Id, byte[] Key)> keys;

    private SecretRing(List<(string Id, byte[] Key)> keys) => this.keys = keys;

    /// <summary>What says of a key which one it is, and nothing about it; the first one encrypts.</summary>
    public IReadOnlyList<string> Ids => [.. keys.Select(key => key.Id)];

    /// <summary>The key that encrypts; null where there is none.</summary>
    public string? CurrentId => keys.Count > 0 ? keys[0].Id : null;

    /// <exception cref="InvalidOperationException">They are set twice, or are no keys. The message has nothing of them.</exception>
    public static SecretRing Read(SecretOptions options)
    {
        if (options is { Key.Length: > 0, KeyFile.Length: > 0 })
            throw new InvalidOperationException("Both Secrets:Key and Secrets:KeyFile are set.");
        var text = options.KeyFile is { Length: > 0 } file ? File.ReadAllText(file) : options.Key ?? "";
        var ring = Parse(text);
        return ring.keys.Count > 0 || options.KeyFile is not { Length: > 0 }
            ? ring
            : throw new InvalidOperationException($"The key file {options.KeyFile} is empty.");
    }

    /// <inheritdoc cref="SecretOptions.Key"/>
    public static SecretRing Parse(string text)
    {
        var keys = new List<(string Id, byte[] Key)>();
        foreach (var word in text.Split(Separators, StringSplitOptions.RemoveEmptyEntries))
        {
            var key = new byte[KeyBytes];
            if (!Convert.TryFromBase64String(word, key, out var length) || length != KeyBytes)
                throw new InvalidOperationException($"Key {keys.Count + 1} of Secrets:Key is not {KeyBytes} bytes in base64.");
            var id = IdOf(key);
            if (keys.All(known => known.Id != id))
                keys.Add((id, key));
        }
        return new SecretRing(keys);
    }

    /// <summary>A new key, as <see cref="SecretOptions.Key"/> has it.</summary>
    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));

    /// <summary>Encrypts a value with the first key.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.SecretsUnavailable"/>: there is no key.</exception>
    public (string KeyId, byte[] Value) Encrypt(Guid uuid, ReadOnlySpan<byte> value)
    {
        if (keys.Count == 0)
            throw new StorageException(ErrorCodes.SecretsUnavailable, "No key for secrets is set (Secrets:Key or Secrets:KeyFile).");
        var (id, key) = keys[0];
        var encrypted = new byte[NonceBytes + value.Length + TagBytes];
        var nonce = encrypted.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(nonce, value, encrypted.AsSpan(NonceBytes, value.Length), encrypted.AsSpan(NonceBytes + value.Length), Belonging(uuid, id));
        return (id, encrypted);
    }

    /// <summary>Decrypts a row's value.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.SecretWithoutValue"/>; <see cref="ErrorCodes.SecretsUnavailable"/>: its key is not in the ring, or it is not what was
    /// encrypted for this row.
    /// </exception>
    public SecretValue Decrypt(SecretRow row)
    {
        if (row is not { Value: { } encrypted, KeyId: { } id })
            throw new StorageException(new StorageError(
                ErrorCodes.SecretWithoutValue, $"Secret {row.Uuid} has no value.", Resource: Resources.Secret(row.Uuid)));
        if (keys.Find(known => known.Id == id).Key is not { } key)
            throw Unavailable(row, $"The key {id} of secret {row.Uuid} is not among those that are set.");
        var value = new SecretValue(Math.Max(0, encrypted.Length - NonceBytes - TagBytes));
        try
        {
            using var cipher = new AesGcm(key, TagBytes);
            cipher.Decrypt(
                encrypted.AsSpan(0, NonceBytes), encrypted.AsSpan(NonceBytes, value.Bytes.Length), encrypted.AsSpan(NonceBytes + value.Bytes.Length),
                value.Bytes.Span, Belonging(row.Uuid, id));
            return value;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            value.Dispose();
            throw Unavailable(row, $"The value of secret {row.Uuid} is not what was encrypted for it.");
        }
    }

    private static StorageException Unavailable(SecretRow row, string message) =>
        new(new StorageError(ErrorCodes.SecretsUnavailable, message, Resource: Resources.Secret(row.Uuid)));

    private static byte[] Belonging(Guid uuid, string keyId) => [.. uuid.ToByteArray(bigEndian: true), .. Encoding.ASCII.GetBytes(keyId)];

    private static string IdOf(byte[] key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(IdPurpose)).AsSpan(0, IdBytes));
}
