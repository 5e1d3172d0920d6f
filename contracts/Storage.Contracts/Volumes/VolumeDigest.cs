using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Storage.Contracts;

/// <summary>
/// What is compared in place of volumes as they were seen, so that what has not changed need not be told: the start of the SHA-256 of a
/// volume's JSON without its access time, which moves with every reading.
/// </summary>
public static class VolumeDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Length = 16;

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Bytes, Utf8JsonWriter Writer)? buffer;

    /// <summary>The digest of one volume.</summary>
    public static byte[] Of(VolumeDefinition volume)
    {
        var digest = new byte[Length];
        Write(volume, digest);
        return digest;
    }

    /// <summary>Writes the digest of one volume.</summary>
    /// <param name="digest">As long as a digest.</param>
    public static void Write(VolumeDefinition volume, Span<byte> digest)
    {
        var (bytes, writer) = buffer ??= NewBuffer();
        bytes.ResetWrittenCount();
        writer.Reset();
        JsonSerializer.Serialize(writer, volume.Timestamps?.Access is null ? volume : volume with { Timestamps = volume.Timestamps with { Access = null } }, StorageJson.Options);
        Write(bytes.WrittenSpan, digest);
    }

    /// <summary>The digest of a range of volumes.</summary>
    /// <param name="digests">Those of its volumes, one after the other in the order of their names.</param>
    public static byte[] OfRange(ReadOnlySpan<byte> digests)
    {
        var digest = new byte[Length];
        Write(digests, digest);
        return digest;
    }

    private static void Write(ReadOnlySpan<byte> content, Span<byte> digest)
    {
        Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, whole);
        whole[..Length].CopyTo(digest);
    }

    private static (ArrayBufferWriter<byte>, Utf8JsonWriter) NewBuffer()
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        return (bytes, new Utf8JsonWriter(bytes));
    }
}
