namespace Storage.Contracts.Images;

/// <summary>qcow, version 1.</summary>
internal static class QcowImage
{
    private const int CryptOffset = 36;
    private const int Length = 48;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Big);
        var problems = new HeaderProblems();
        problems.CheckLength(bytes, Length);
        return new ImageHeader("qcow", QcowFields.Capacity(bytes, problems))
        {
            BackingFile = QcowFields.BackingFile(bytes, problems),
            Encryption = QcowFields.Encryption(bytes, CryptOffset, ["qcow"], problems),
            Problem = problems.Text,
        };
    }
}
