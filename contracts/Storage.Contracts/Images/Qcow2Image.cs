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
            Encryption = bytes.U32(CryptOffset) switch { 1 => "qcow", 2 => "luks", _ => null },
        };
        uint? headerLength = Version2Length;
        if (bytes.U32(VersionOffset) > 2)
        {
            headerLength = Version3(bytes, problems);
            header = header with { Compat = "1.1", Features = Features(bytes, problems) };
        }
        if (headerLength is { } length)
            header = Extensions(bytes, header, length, problems);
        return header with { Problem = problems.Text };
    }

    private static long? ClusterSize(HeaderBytes bytes, HeaderProblems problems) => bytes.U32(ClusterBitsOffset) switch
    {
        >= MinClusterBits and <= MaxClusterBits and { } bits => 1L << (int)bits,
        _ => problems.Add<long>("The header says no possible cluster size."),
    };

    private static uint? Version3(HeaderBytes bytes, HeaderProblems problems)
    {
        var length = bytes.U32(HeaderLengthOffset);
        return length >= Version3Length && length <= bytes.Length && length % 8 == 0
            ? length
            : problems.Add<uint>("The header of version 3 is cut off or says no possible length.");
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
                header = header with { BackingFormat = Name(bytes.Text(offset, length), "The backing file's format", problems) };
            else if (magic == DataFileName)
                header = header with { DataFile = Name(bytes.Text(offset, length), "The data file's name", problems) };
            offset += (length + 7) & ~7UL;
        }
        return header;
    }

    private static string? Name(string? name, string what, HeaderProblems problems)
    {
        if (name is null)
            problems.Add($"{what} is not text.");
        return string.IsNullOrEmpty(name) ? null : name;
    }
}
