using System.Security.Cryptography;

namespace Storage.Contracts;

/// <summary>The value of a secret in memory: never moved by the collector, zeroed by <see cref="Dispose"/>, and silent where it is shown.</summary>
public sealed class SecretValue(int length) : IDisposable
{
    /// <summary>The longest value, in bytes.</summary>
    public const int Limit = 64 << 10;

    private readonly byte[] bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>The value; zeros after <see cref="Dispose"/>.</summary>
    public Memory<byte> Bytes => bytes;

    public static SecretValue Of(ReadOnlySpan<byte> bytes)
    {
        var value = new SecretValue(bytes.Length);
        bytes.CopyTo(value.bytes);
        return value;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(bytes);

    public override string ToString() => "***";
}
