using System.Buffers.Binary;
using System.Text;

namespace Storage.Tests.Images;

/// <summary>The start of an image, written field by field.</summary>
internal sealed class Head(int length, bool bigEndian)
{
    public byte[] Bytes { get; } = new byte[length];

    public Head Put(int offset, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Bytes.AsSpan(offset));
        return this;
    }

    public Head Put(int offset, string text) => Put(offset, Encoding.UTF8.GetBytes(text));

    public Head U32(int offset, uint value)
    {
        if (bigEndian)
            BinaryPrimitives.WriteUInt32BigEndian(Bytes.AsSpan(offset), value);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(Bytes.AsSpan(offset), value);
        return this;
    }

    public Head U64(int offset, ulong value)
    {
        if (bigEndian)
            BinaryPrimitives.WriteUInt64BigEndian(Bytes.AsSpan(offset), value);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(Bytes.AsSpan(offset), value);
        return this;
    }
}
