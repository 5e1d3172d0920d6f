using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text.Json;

namespace Storage.Contracts.Images;

/// <summary>
/// raw within LUKS. The header says where the data begins, mostly to go on to the end of the file: in version 1 in a field, in version 2 in
/// a JSON document after the header (LUKS2 On-Disk Format Specification, 2.1 and 3).
/// </summary>
internal static class LuksImage
{
    private const int VersionOffset = 6;
    private const int PayloadOffset = 104;
    private const int SectorSize = 512;
    private const int HeaderSizeOffset = 8;
    private const int JsonOffset = 4096;

    private static ReadOnlySpan<byte> Magic => [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE];

    public static bool Recognises(ReadOnlySpan<byte> head) => head.StartsWith(Magic);

    public static ImageHeader Read(ReadOnlySpan<byte> head, long fileSize) => Version(head) switch
    {
        1 => Version1(head, fileSize),
        2 => Version2(head, fileSize),
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

    private static ImageHeader Version2(ReadOnlySpan<byte> head, long fileSize)
    {
        var unknown = new ImageHeader("raw", null) { Encryption = EncryptionRules.Luks2 };
        if (new HeaderBytes(head, ByteOrder.Big).U64(HeaderSizeOffset) is not { } end || end <= JsonOffset)
            return unknown with { Problem = "The LUKS header is cut off." };
        // A larger one than is looked at, which only many keys need.
        if (end > (ulong)head.Length)
            return unknown;
        var description = head[JsonOffset..(int)end];
        description = description[..(description.IndexOf((byte)0) is >= 0 and var zero ? zero : description.Length)];
        try
        {
            return DataOffset(description) is not { } start ? unknown
                : start <= fileSize ? unknown with { Capacity = fileSize - start }
                : unknown with { Problem = "The LUKS header puts its data outside the file." };
        }
        catch (JsonException)
        {
            return unknown with { Problem = "The LUKS header has no readable description of its data." };
        }
    }

    /// <returns>Null unless the data are one piece that goes on to the end of the file.</returns>
    private static long? DataOffset(ReadOnlySpan<byte> description)
    {
        var reader = new Utf8JsonReader(description);
        if (!Opens(ref reader))
            return null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("segments"u8))
                return Segment(ref reader);
            reader.Skip();
        }
        return null;
    }

    private static long? Segment(ref Utf8JsonReader reader)
    {
        long? offset = null;
        var toTheEnd = false;
        var segments = 0;
        if (!Opens(ref reader))
            return null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (++segments > 1 || !Opens(ref reader))
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isOffset, isSize) = (reader.ValueTextEquals("offset"u8), reader.ValueTextEquals("size"u8));
                if (!reader.Read())
                    return null;
                if (isOffset && reader.TokenType == JsonTokenType.String)
                    offset = Utf8Parser.TryParse(reader.ValueSpan, out long start, out var read) && read == reader.ValueSpan.Length && start >= 0 ? start : null;
                else if (isSize && reader.TokenType == JsonTokenType.String)
                    toTheEnd = reader.ValueTextEquals("dynamic"u8);
                else
                    reader.Skip();
            }
        }
        return toTheEnd ? offset : null;
    }

    private static bool Opens(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.StartObject;
}
