using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Storage.Contracts;

/// <summary>
/// What is compared in place of volumes as they were seen, so that what has not changed need not be told: the start of the SHA-256 of all that is
/// known of a volume but its access time, which moves with every reading.
/// </summary>
public static class VolumeDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Length = 16;

    private static readonly VolumeDefinition Nothing = new();

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

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
        var content = buffer ??= new ArrayBufferWriter<byte>(1024);
        content.ResetWrittenCount();
        Add(content, volume.Name);
        Add(content, volume.Key);
        Add(content, volume.Path);
        Add(content, volume.Format);
        Add(content, volume.Compat);
        Add(content, (long?)volume.Type);
        Add(content, volume.Capacity);
        Add(content, volume.Allocation);
        Add(content, volume.Physical);
        Add(content, volume.ClusterSize);
        Add(content, volume.Permissions);
        Add(content, volume.Timestamps);
        // What few volumes have, and whatever is yet to come.
        var rest = volume with
        {
            Name = "",
            Key = null,
            Path = null,
            Format = null,
            Compat = null,
            Type = null,
            Capacity = null,
            Allocation = null,
            Physical = null,
            ClusterSize = null,
            Permissions = null,
            Timestamps = null,
        };
        if (rest != Nothing)
            content.Write(JsonSerializer.SerializeToUtf8Bytes(rest, StorageJson.Options));
        Write(content.WrittenSpan, digest);
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

    private static void Add(ArrayBufferWriter<byte> content, Permissions? permissions)
    {
        Add(content, permissions is null ? null : 1);
        if (permissions is null)
            return;
        Add(content, permissions.Mode);
        Add(content, permissions.Owner);
        Add(content, permissions.Group);
        Add(content, permissions.Label);
    }

    private static void Add(ArrayBufferWriter<byte> content, Timestamps? timestamps)
    {
        Add(content, timestamps?.Modified?.UtcTicks);
        Add(content, timestamps?.Changed?.UtcTicks);
        Add(content, timestamps?.Birth?.UtcTicks);
    }

    // Each part says how long it is, so that no two volumes are written alike.

    private static void Add(ArrayBufferWriter<byte> content, long? number)
    {
        var bytes = content.GetSpan(1 + sizeof(long));
        bytes[0] = number is null ? (byte)0 : (byte)1;
        if (number is { } value)
            BinaryPrimitives.WriteInt64LittleEndian(bytes[1..], value);
        content.Advance(number is null ? 1 : 1 + sizeof(long));
    }

    private static void Add(ArrayBufferWriter<byte> content, string? text)
    {
        var bytes = content.GetSpan(sizeof(int) + Encoding.UTF8.GetMaxByteCount(text?.Length ?? 0));
        var length = text is null ? -1 : Encoding.UTF8.GetBytes(text, bytes[sizeof(int)..]);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        content.Advance(sizeof(int) + Math.Max(0, length));
    }
}
