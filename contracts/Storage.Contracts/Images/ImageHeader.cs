namespace Storage.Contracts.Images;

/// <summary>What the first bytes of a disk image say about it. Read in-process, without following or opening anything that it names.</summary>
/// <param name="Format">One of libvirt's file formats; what no probe recognises is <c>raw</c>.</param>
/// <param name="Capacity">
/// Bytes that a guest sees; null where the header does not say a possible size, which without a <see cref="Problem"/> is LUKS of version 2 with
/// data in several pieces or a header that is longer than what is looked at.
/// </param>
public sealed record ImageHeader(string Format, long? Capacity)
{
    /// <summary>The bytes from the start of an image that are enough for every format; what lies beyond is not looked at.</summary>
    public const int ProbeLength = 33_280;

    /// <summary>Bytes of a cluster, a power of two from 512 to 2 MiB (qcow2).</summary>
    public long? ClusterSize { get; init; }

    /// <summary><c>1.1</c> for a qcow2 image of version 3, null for older ones and other formats.</summary>
    public string? Compat { get; init; }

    /// <summary>qcow2 features as libvirt names them, empty where there are none; null where the format has no features.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    /// <summary>The name of the backing file, exactly as in the header: relative, absolute or a URI. Never followed.</summary>
    public string? BackingFile { get; init; }

    /// <summary>The backing file's format as the header names it; null where the header does not say. Never guessed from its content.</summary>
    public string? BackingFormat { get; init; }

    /// <summary>The name of the external data file (qcow2).</summary>
    public string? DataFile { get; init; }

    /// <summary><c>qcow</c>, <c>luks</c> or <c>luks2</c>; null where the image is not encrypted.</summary>
    public string? Encryption { get; init; }

    /// <summary>What is wrong with the header, for people; null where nothing is.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// Recognises the format and reads the header. Never throws: a malformed header is a result with a <see cref="Problem"/> and with
    /// what could be read of the rest.
    /// </summary>
    /// <param name="head">The start of the image; bytes after <see cref="ProbeLength"/> are ignored.</param>
    /// <param name="fileSize">Bytes of the whole file or device; less than 0 counts as 0.</param>
    public static ImageHeader Read(ReadOnlySpan<byte> head, long fileSize)
    {
        if (head.Length > ProbeLength)
            head = head[..ProbeLength];
        fileSize = Math.Max(0, fileSize);
        string? problem = null;
        foreach (var probe in ImageProbes.All)
        {
            if (!probe.Recognises(head))
                continue;
            if (probe.Accepts(head))
                return probe.Read(head, fileSize);
            problem ??= ImageProbe.UnknownVersion(probe.Format);
        }
        return LuksImage.Recognises(head) ? LuksImage.Read(head, fileSize) : new("raw", fileSize) { Problem = problem };
    }
}
