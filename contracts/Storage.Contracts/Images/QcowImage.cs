namespace Storage.Contracts.Images;

/// <summary>qcow, version 1.</summary>
internal static class QcowImage
{
    private const int CryptOffset = 36;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Big);
        var problems = new HeaderProblems();
        return new ImageHeader("qcow", QcowFields.Capacity(bytes, problems))
        {
            BackingFile = QcowFields.BackingFile(bytes, problems),
            Encryption = bytes.U32(CryptOffset) == 1 ? "qcow" : null,
            Problem = problems.Text,
        };
    }
}

/// <summary>The fields that all versions of qcow have.</summary>
internal static class QcowFields
{
    private const int BackingOffset = 8;
    private const int BackingLengthOffset = 16;
    private const int CapacityOffset = 24;
    private const int MaxNameLength = 1023;

    public static long? Capacity(HeaderBytes bytes, HeaderProblems problems) =>
        bytes.Size(CapacityOffset) ?? problems.Add<long>("The header says no possible size.");

    /// <summary>Where the backing file's name is; null where the image has none.</summary>
    public static ulong? BackingNameOffset(HeaderBytes bytes) => bytes.U64(BackingOffset) is { } offset and > 0 ? offset : null;

    public static string? BackingFile(HeaderBytes bytes, HeaderProblems problems)
    {
        if (BackingNameOffset(bytes) is not { } offset || bytes.U32(BackingLengthOffset) is not ({ } length and > 0))
            return null;
        if (length > MaxNameLength)
        {
            problems.Add($"The backing file's name is over {MaxNameLength} bytes.");
            return null;
        }
        var name = bytes.Text(offset, length);
        if (name is null)
            problems.Add("The backing file's name is not within the header or is not text.");
        return string.IsNullOrEmpty(name) ? null : name;
    }
}
