using System.Buffers.Binary;

namespace Storage.Contracts.Images;

/// <summary>What has no header of its own: raw, and raw within LUKS.</summary>
internal static class RawImage
{
    private const int LuksVersionOffset = 6;
    private const int LuksPayloadOffset = 104;
    private const int SectorSize = 512;

    private static ReadOnlySpan<byte> LuksMagic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE];

    public static ImageHeader Read(ReadOnlySpan<byte> head, long fileSize) => IsLuks(head) ? ReadLuks(head, fileSize) : new("raw", fileSize);

    private static bool IsLuks(ReadOnlySpan<byte> head) =>
        head.Length >= LuksVersionOffset + sizeof(ushort)
        && head.StartsWith(LuksMagic)
        && BinaryPrimitives.ReadUInt16BigEndian(head[LuksVersionOffset..]) == 1;

    private static ImageHeader ReadLuks(ReadOnlySpan<byte> head, long fileSize)
    {
        var payload = (long?)new HeaderBytes(head, ByteOrder.Big).U32(LuksPayloadOffset) * SectorSize;
        return payload is { } start && start <= fileSize
            ? new("raw", fileSize - start) { Encryption = "luks" }
            : new("raw", null) { Encryption = "luks", Problem = "The LUKS header puts its data outside the file." };
    }
}
