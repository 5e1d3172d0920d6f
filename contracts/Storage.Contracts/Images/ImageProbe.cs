namespace Storage.Contracts.Images;

internal delegate ImageHeader ImageReader(ReadOnlySpan<byte> head, long fileSize);

/// <summary>How one format is recognised: a magic number, and a version that must be one of those known.</summary>
/// <param name="Format">libvirt's name of the format.</param>
/// <param name="MagicOffset">Where the magic number is.</param>
/// <param name="Magic">Its bytes.</param>
/// <param name="Order">Byte order of the header.</param>
/// <param name="VersionOffset">Where the version is; unused where <paramref name="Versions"/> is empty.</param>
/// <param name="Versions">The versions that are known; empty where the format has none.</param>
/// <param name="Read">Reads the header once it is recognised.</param>
internal sealed record ImageProbe(
    string Format, int MagicOffset, byte[] Magic, ByteOrder Order, int VersionOffset, uint[] Versions, ImageReader Read)
{
    public bool Recognises(ReadOnlySpan<byte> head) =>
        head.Length >= MagicOffset + Magic.Length && head.Slice(MagicOffset, Magic.Length).SequenceEqual(Magic);

    public bool Accepts(ReadOnlySpan<byte> head) =>
        Versions.Length == 0 || new HeaderBytes(head, Order).U32(VersionOffset) is { } version && Versions.Contains(version);

    /// <summary>The problem of what has a format's magic number and not one of its versions.</summary>
    public static string UnknownVersion(string format) => $"It starts like a {format} image, of a version that is not known.";
}

/// <summary>The formats that have a magic number, in the order in which libvirt tries them. The first that fits wins.</summary>
internal static class ImageProbes
{
    public static readonly ImageProbe[] All =
    [
        new("iso", 32_769, [.. "CD001"u8], ByteOrder.Little, 0, [], (_, size) => new("iso", size)),
        new("vpc", 0, [.. "conectix"u8], ByteOrder.Big, 12, [0x10000], (head, _) => SizedImage.Read("vpc", head, ByteOrder.Big, 40)),
        new("vdi", 64, [0x7F, 0x10, 0xDA, 0xBE], ByteOrder.Little, 68, [0x00010001],
            (head, _) => SizedImage.Read("vdi", head, ByteOrder.Little, 368)),
        new("ploop", 0, [.. "WithouFreSpacExt"u8], ByteOrder.Little, 0, [],
            (head, _) => SizedImage.Read("ploop", head, ByteOrder.Little, 36, unit: 512)),
        new("cow", 0, [.. "OOOM"u8], ByteOrder.Big, 4, [2], (head, _) => CowImage.Read(head)),
        new("qcow", 0, [.. "QFI"u8, 0xFB], ByteOrder.Big, 4, [1], (head, _) => QcowImage.Read(head)),
        new("qcow2", 0, [.. "QFI"u8, 0xFB], ByteOrder.Big, 4, [2, 3], (head, _) => Qcow2Image.Read(head)),
        new("qed", 0, [.. "QED"u8, 0], ByteOrder.Little, 0, [], (head, _) => QedImage.Read(head)),
        new("vmdk", 0, [.. "KDMV"u8], ByteOrder.Little, 4, [1, 2, 3], (head, _) => VmdkImage.Read(head)),
    ];
}
