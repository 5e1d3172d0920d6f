namespace Storage.Tests.Images;

/// <summary>The start of an image of every format, as full as that of a real one.</summary>
internal static class SampleImages
{
    public const ulong Capacity = 1UL << 30;
    public const uint BackingFormat = 0xE2792ACA;
    public const uint DataFile = 0x44415441;

    private const string Descriptor = "# Disk DescriptorFile\nversion=1\nparentCID=12345678\ncreateType=\"monolithicSparse\"\nparentFileNameHint=\"base.vmdk\"\n";

    public static IReadOnlyList<(string Name, byte[] Head)> All { get; } =
    [
        ("raw", new byte[4096]),
        ("iso", new Head(33_280, bigEndian: false).Put(32_769, "CD001").Bytes),
        ("vpc", new Head(512, bigEndian: true).Put(0, "conectix").U32(12, 0x10000).U64(40, Capacity).U64(48, Capacity).Bytes),
        ("vdi", new Head(512, bigEndian: false).Put(64, [0x7F, 0x10, 0xDA, 0xBE]).U32(68, 0x10001).U64(368, Capacity).Bytes),
        ("ploop", new Head(64, bigEndian: false).Put(0, "WithouFreSpacExt").U64(36, Capacity / 512).Bytes),
        ("cow", new Head(1056, bigEndian: true).Put(0, "OOOM").U32(4, 2).Put(8, "base.img").U64(1036, Capacity).Bytes),
        ("qcow", new Head(1024, bigEndian: true).Put(0, [.. "QFI"u8, 0xFB]).U32(4, 1).U64(8, 48).U32(16, 8).U64(24, Capacity).U32(36, 1)
            .Put(48, "base.img").Bytes),
        ("qcow2 0.10", new Qcow2Head { Version = 2, Backing = "base.img", Extensions = [(BackingFormat, "raw")] }.Write()),
        ("qcow2 1.1", new Qcow2Head
        {
            Backing = "../images/base.img",
            Incompatible = 0b1_0100,
            Compatible = 1,
            Crypt = 2,
            HeaderLength = 112,
            Extensions = [(BackingFormat, "qcow2"), (DataFile, "disk.data"), (0x6803F857, new string('f', 336))],
        }.Write()),
        ("qed", new Head(1024, bigEndian: false).Put(0, "QED\0").U32(4, 65536).U64(16, 0b101).U64(48, Capacity).U32(56, 64).U32(60, 8)
            .Put(64, "base.img").Bytes),
        ("vmdk", new Head(2048, bigEndian: false).Put(0, "KDMV").U32(4, 1).U64(12, Capacity / 512).Put(512, Descriptor).Bytes),
        ("luks", new Head(592, bigEndian: true).Put(0, [.. "LUKS"u8, 0xBA, 0xBE, 0, 1]).U32(104, 4096).Bytes),
        ("luks 2", Luks2("""{"keyslots":{"0":{"type":"luks2"}},"segments":{"0":{"type":"crypt","offset":"4194304","size":"dynamic"}}}""")),
    ];

    /// <param name="description">The JSON document of the header.</param>
    public static byte[] Luks2(string description) =>
        new Head(16_384, bigEndian: true).Put(0, [.. "LUKS"u8, 0xBA, 0xBE, 0, 2]).U64(8, 16_384).Put(4096, description).Bytes;
}
