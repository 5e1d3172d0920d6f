using System.Buffers.Binary;
using System.Text;

namespace Storage.Contracts.Images;

internal enum ByteOrder
{
    Little,
    Big,
}

/// <summary>Reads fields of a header; a field that does not lie wholly within the bytes is null.</summary>
internal readonly ref struct HeaderBytes(ReadOnlySpan<byte> bytes, ByteOrder order)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Length => _bytes.Length;

    public uint? U32(int offset)
    {
        if (offset < 0 || offset > _bytes.Length - sizeof(uint))
            return null;
        var field = _bytes[offset..];
        return order == ByteOrder.Big ? BinaryPrimitives.ReadUInt32BigEndian(field) : BinaryPrimitives.ReadUInt32LittleEndian(field);
    }

    public ulong? U64(int offset)
    {
        if (offset < 0 || offset > _bytes.Length - sizeof(ulong))
            return null;
        var field = _bytes[offset..];
        return order == ByteOrder.Big ? BinaryPrimitives.ReadUInt64BigEndian(field) : BinaryPrimitives.ReadUInt64LittleEndian(field);
    }

    /// <summary>A size of so many <paramref name="unit"/>s as bytes; null where it is missing or over 2^63-1.</summary>
    public long? Size(int offset, uint unit = 1) =>
        U64(offset) is { } count && (UInt128)count * unit is var size && size <= long.MaxValue ? (long)size : null;

    /// <summary>Text up to the first NUL. Null where it lies outside the bytes, is not UTF-8 or holds control characters.</summary>
    public string? Text(ulong offset, ulong length)
    {
        if (offset > (ulong)_bytes.Length || length > (ulong)_bytes.Length - offset)
            return null;
        var field = _bytes.Slice((int)offset, (int)length);
        var end = field.IndexOf((byte)0);
        return Text(end < 0 ? field : field[..end]);
    }

    public static string? Text(ReadOnlySpan<byte> field)
    {
        if (!System.Text.Unicode.Utf8.IsValid(field))
            return null;
        var text = StrictUtf8.GetString(field);
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\uFFFE' or '\uFFFF')
                return null;
        }
        return text;
    }
}
