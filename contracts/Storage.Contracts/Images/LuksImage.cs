using System.Buffers.Binary;

namespace Storage.Contracts.Images;

/// <summary>
/// raw within LUKS. In version 1 the header says where the data begins, and they go on to the end of the file. In version 2 that is
/// in a JSON document after the header, which is not read: the capacity is unknown.
/// </summary>
internal static class LuksImage
{
    private const int VersionOffset = 6;
    private const int PayloadOffset = 104;
    private const int SectorSize = 512;

    private static ReadOnlySpan<byte> Magic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE];

    public static bool Recognises(ReadOnlySpan<byte> head) => head.StartsWith(Magic);

    public static ImageHeader Read(ReadOnlySpan<byte> head, long fileSize) => Version(head) switch
    {
        1 => Version1(head, fileSize),
        2 => new("raw", null) { Encryption = "luks" },
        _ => new("raw", fileSize) { Problem = ImageProbe.UnknownVersion("LUKS") },
    };

    private static ushort? Version(ReadOnlySpan<byte> head) =>
        head.Length >= VersionOffset + sizeof(ushort) ? BinaryPrimitives.ReadUInt16BigEndian(head[VersionOffset..]) : null;

    private static ImageHeader Version1(ReadOnlySpan<byte> head, long fileSize)
    {
        var payload = (long?)new HeaderBytes(head, ByteOrder.Big).U32(PayloadOffset) * SectorSize;
        return payload is { } start && start <= fileSize
            ? new("raw", fileSize - start) { Encryption = "luks" }
            : new("raw", null) { Encryption = "luks", Problem = "The LUKS header is cut off or puts its data outside the file." };
    }
}
