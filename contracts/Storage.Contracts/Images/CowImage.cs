namespace Storage.Contracts.Images;

/// <summary>User-mode Linux's cow.</summary>
internal static class CowImage
{
    private const int BackingOffset = 8;
    private const int BackingLength = 1024;
    private const int CapacityOffset = 1036;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Big);
        var problems = new HeaderProblems();
        return new ImageHeader("cow", problems.Capacity(bytes.Size(CapacityOffset)))
        {
            BackingFile = HeaderName.Read(bytes, BackingOffset, BackingLength, HeaderName.Backing, problems),
            Problem = problems.Text,
        };
    }
}
