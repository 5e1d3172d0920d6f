using System.Buffers.Binary;

namespace Storage.Worker;

/// <summary>
/// How large the file system on a device is, by its superblock: ext2 to ext4, XFS, btrfs. Sources of fact:
/// ext4(5) and the kernel's <c>ext4_super_block</c>, <c>xfs_dsb</c>, <c>btrfs_super_block</c>.
/// </summary>
public static class FileSystemSize
{
    private const int Head = 0x11000;

    /// <summary>Null where none is known.</summary>
    public static unsafe (string Kind, long Bytes)? Read(string device)
    {
        using var opened = BlockDevice.OpenToRead(device);
        var head = new byte[Head];
        fixed (byte* buffer = head)
        {
            var read = LibC.Read(opened.File, buffer, Head, 0);
            return read < 0 ? throw HostErrors.FromLast($"read {device}") : Parse(head.AsSpan(0, (int)read));
        }
    }

    /// <param name="head">The beginning of the device.</param>
    public static (string Kind, long Bytes)? Parse(ReadOnlySpan<byte> head)
    {
        const int Ext = 1024, Btrfs = 0x10000;
        if (head.Length >= Ext + 0x154 && BinaryPrimitives.ReadUInt16LittleEndian(head[(Ext + 0x38)..]) == 0xEF53)
        {
            var has64Bits = (BinaryPrimitives.ReadUInt32LittleEndian(head[(Ext + 0x60)..]) & 0x80) != 0;
            var blocks = BinaryPrimitives.ReadUInt32LittleEndian(head[(Ext + 4)..]) + (has64Bits ? (ulong)BinaryPrimitives.ReadUInt32LittleEndian(head[(Ext + 0x150)..]) << 32 : 0);
            return Of("ext", blocks, 1024UL << (int)Math.Min(16, BinaryPrimitives.ReadUInt32LittleEndian(head[(Ext + 0x18)..])));
        }
        if (head.Length >= 16 && head.StartsWith("XFSB"u8))
            return Of("xfs", BinaryPrimitives.ReadUInt64BigEndian(head[8..]), BinaryPrimitives.ReadUInt32BigEndian(head[4..]));
        return head.Length >= Btrfs + 0x78 && head[(Btrfs + 0x40)..].StartsWith("_BHRfS_M"u8)
            ? Of("btrfs", BinaryPrimitives.ReadUInt64LittleEndian(head[(Btrfs + 0x70)..]), 1)
            : null;
    }

    /// <summary>More than any device has is a superblock that says nothing.</summary>
    private static (string Kind, long Bytes)? Of(string kind, ulong blocks, ulong size) =>
        size > 0 && blocks <= long.MaxValue / size ? (kind, (long)(blocks * size)) : null;
}
