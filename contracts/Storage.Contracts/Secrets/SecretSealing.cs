using System.Security.Cryptography;
using System.Text;

namespace Storage.Contracts;

/// <summary>
/// How a value is sealed to a key that was made for it: ECDH on P-256 between two keys that are used once, HKDF-SHA256 over the agreement with
/// both public keys, AES-256-GCM. Public keys are SubjectPublicKeyInfo (DER). The operation that the value is for is authenticated with it.
/// </summary>
public static class SecretSealing
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int Bits = 256;
    private const string Purpose = "storage/secret/1";

    /// <summary>Makes a key for one question.</summary>
    public static ECDiffieHellman CreateKey() => ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Seals a value to a public key.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>: it is no public key on P-256.</exception>
    public static SealedValue Seal(ReadOnlySpan<byte> value, byte[] publicKey, Guid operation)
    {
        using var own = CreateKey();
        var ownPublic = own.ExportSubjectPublicKeyInfo();
        var (nonce, ciphertext, tag) = (RandomNumberGenerator.GetBytes(NonceBytes), new byte[value.Length], new byte[TagBytes]);
        using var cipher = Agree(own, publicKey, [.. publicKey, .. ownPublic]);
        cipher.Encrypt(nonce, value, ciphertext, tag, operation.ToByteArray());
        return new SealedValue(ownPublic, nonce, ciphertext, tag);
    }

    /// <summary>Opens what was sealed to a key into a buffer as long as <see cref="SealedValue.Ciphertext"/>.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>: it was sealed to another key or for another operation, or changed.</exception>
    public static void Open(SealedValue value, ECDiffieHellman key, Guid operation, Span<byte> into)
    {
        try
        {
            using var cipher = Agree(key, value.PublicKey, [.. key.ExportSubjectPublicKeyInfo(), .. value.PublicKey]);
            cipher.Decrypt(value.Nonce, value.Ciphertext, value.Tag, into, operation.ToByteArray());
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new StorageException(
                new StorageError(ErrorCodes.InvalidArgument, "The sealed value cannot be opened: it is not for this key and operation, or was changed."), e);
        }
    }

    private static AesGcm Agree(ECDiffieHellman own, byte[] otherPublic, byte[] transcript)
    {
        using var other = Read(otherPublic);
        var agreement = own.DeriveRawSecretAgreement(other.PublicKey);
        Span<byte> key = stackalloc byte[KeyBytes];
        try
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, agreement, key, salt: default, info: [.. Encoding.ASCII.GetBytes(Purpose), .. transcript]);
            return new AesGcm(key, TagBytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(agreement);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static ECDiffieHellman Read(byte[] publicKey)
    {
        var key = ECDiffieHellman.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            if (read == publicKey.Length && key.KeySize == Bits && key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value)
                return key;
        }
        catch (CryptographicException)
        {
            // Refused below.
        }
        key.Dispose();
        throw new StorageException(ErrorCodes.InvalidArgument, "It is no public key on P-256.", "publicKey");
    }
}
