namespace Storage.Contracts.Images;

/// <summary>qcow2, versions 2 and 3, with the header extensions, each of which is padded to 8 bytes.</summary>
internal static class Qcow2Image
{
    private const int VersionOffset = 4;
    private const int ClusterBitsOffset = 20;
    private const int CryptOffset = 32;
    private const int Version2Length = 72;
    private const int IncompatibleOffset = 72;
    private const int CompatibleOffset = 80;
    private const int HeaderLengthOffset = 100;
    private const uint Version3Length = 104;
    private const uint MinClusterBits = 9;
    private const uint MaxClusterBits = 21;

    private const ulong Corrupt = 1 << 1;
    private const ulong ExternalData = 1 << 2;
    private const ulong ExtendedL2 = 1 << 4;
    private const ulong KnownIncompatible = (1 << 5) - 1;
    private const ulong LazyRefcounts = 1 << 0;

    private const uint EndOfExtensions = 0;
    private const uint BackingFormat = 0xE2792ACA;
    private const uint DataFileName = 0x44415441;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Big);
        var problems = new HeaderProblems();
        var header = new ImageHeader("qcow2", QcowFields.Capacity(bytes, problems))
        {
            BackingFile = QcowFields.BackingFile(bytes, problems),
            ClusterSize = ClusterSize(bytes, problems),
            Encryption = QcowFields.Encryption(bytes, CryptOffset, ["qcow", "luks"], problems),
        };
        if (bytes.U32(VersionOffset) > 2)
        {
            header = header with { Compat = "1.1", Features = Features(bytes, problems) };
            var length = bytes.U32(HeaderLengthOffset);
            if (length >= Version3Length && length <= bytes.Length && length % 8 == 0)
                header = Extensions(bytes, header, length.Value, problems);
            else
                problems.Add("The header of version 3 is cut off or says no possible length.");
        }
        else
        {
            problems.CheckLength(bytes, Version2Length);
            header = Extensions(bytes, header, Version2Length, problems);
        }
        return header with { Problem = problems.Text };
    }

    private static long? ClusterSize(HeaderBytes bytes, HeaderProblems problems)
    {
        if (bytes.U32(ClusterBitsOffset) is { } bits and >= MinClusterBits and <= MaxClusterBits)
            return 1L << (int)bits;
        problems.Add("The header says no possible cluster size.");
        return null;
    }

    private static List<string> Features(HeaderBytes bytes, HeaderProblems problems)
    {
        var incompatible = bytes.U64(IncompatibleOffset) ?? 0;
        var compatible = bytes.U64(CompatibleOffset) ?? 0;
        var features = new List<string>();
        if ((compatible & LazyRefcounts) != 0)
            features.Add("lazy_refcounts");
        if ((incompatible & ExtendedL2) != 0)
            features.Add("extended_l2");
        if ((incompatible & ExternalData) != 0)
            features.Add("data_file");
        if ((incompatible & Corrupt) != 0)
            problems.Add("The image is marked corrupt.");
        if ((incompatible & ~KnownIncompatible) != 0)
            problems.Add("The image has incompatible features that are not known.");
        return features;
    }

    /// <summary>Walks {magic, length, payload, padding to 8 bytes} up to the end mark, the backing file's name or the end of the first cluster.</summary>
    private static ImageHeader Extensions(HeaderBytes bytes, ImageHeader header, uint headerLength, HeaderProblems problems)
    {
        var end = (ulong)Math.Min(bytes.Length, header.ClusterSize ?? bytes.Length);
        end = Math.Min(end, QcowFields.BackingNameOffset(bytes) ?? end);
        ulong offset = headerLength;
        while (offset + 8 <= end)
        {
            var magic = bytes.U32((int)offset)!.Value;
            ulong length = bytes.U32((int)offset + 4)!.Value;
            if (magic == EndOfExtensions)
                break;
            offset += 8;
            if (length > end - offset)
            {
                problems.Add("A header extension is longer than the header.");
                break;
            }
            if (magic == BackingFormat)
                header = header with { BackingFormat = HeaderName.Read(bytes, offset, length, "The backing file's format", problems) };
            else if (magic == DataFileName)
                header = header with { DataFile = HeaderName.Read(bytes, offset, length, "The data file's name", problems) };
            offset += (length + 7) & ~7UL;
        }
        return header;
    }
}
