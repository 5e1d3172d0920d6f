using System.Text;

namespace Storage.Tests.Images;

/// <summary>A qcow2 header as its specification lays it out; what is not set is as in the simplest image.</summary>
internal sealed record Qcow2Head
{
    public uint Version { get; init; } = 3;

    public ulong Capacity { get; init; } = SampleImages.Capacity;

    public uint ClusterBits { get; init; } = 16;

    public uint Crypt { get; init; }

    public ulong Incompatible { get; init; }

    public ulong Compatible { get; init; }

    public uint HeaderLength { get; init; } = 104;

    public string? Backing { get; init; }

    /// <summary>Magic numbers and payloads, in this order.</summary>
    public (uint Magic, string Payload)[] Extensions { get; init; } = [];

    public byte[] Write(int length = 2048)
    {
        var head = new Head(length, bigEndian: true).Put(0, [.. "QFI"u8, 0xFB]).U32(4, Version).U32(20, ClusterBits).U64(24, Capacity).U32(32, Crypt);
        var at = 72;
        if (Version > 2)
        {
            head.U64(72, Incompatible).U64(80, Compatible).U32(100, HeaderLength);
            at = (int)HeaderLength;
        }
        foreach (var (magic, payload) in Extensions)
        {
            var bytes = Encoding.UTF8.GetBytes(payload);
            head.U32(at, magic).U32(at + 4, (uint)bytes.Length).Put(at + 8, bytes);
            at += 8 + (bytes.Length + 7) / 8 * 8;
        }
        at += 8;
        if (Backing is not null)
            head.U64(8, (ulong)at).U32(16, (uint)Encoding.UTF8.GetByteCount(Backing)).Put(at, Backing);
        return head.Bytes;
    }
}
