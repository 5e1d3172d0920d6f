using System.Buffers.Binary;

namespace Storage.Contracts.Images;

internal enum ByteOrder
{
    Little,
    Big,
}

/// <summary>Reads fields of a header; a field that does not lie wholly within the bytes is null.</summary>
internal readonly ref struct HeaderBytes(ReadOnlySpan<byte> bytes, ByteOrder order)
{
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
        U64(offset) is { } count && count <= (ulong)long.MaxValue / unit ? (long)(count * unit) : null;

    /// <summary>The bytes of a field; false where it does not lie wholly within the header.</summary>
    public bool TryField(ulong offset, ulong length, out ReadOnlySpan<byte> field)
    {
        var within = offset <= (ulong)_bytes.Length && length <= (ulong)_bytes.Length - offset;
        field = within ? _bytes.Slice((int)offset, (int)length) : default;
        return within;
    }
}
