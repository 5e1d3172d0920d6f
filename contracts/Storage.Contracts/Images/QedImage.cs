namespace Storage.Contracts.Images;

/// <summary>QED, QEMU's enhanced disk.</summary>
internal static class QedImage
{
    private const int FeaturesOffset = 16;
    private const int CapacityOffset = 48;
    private const int BackingOffset = 56;
    private const int BackingLengthOffset = 60;
    private const int Length = 64;
    private const ulong HasBackingFile = 1;
    private const ulong BackingIsRaw = 4;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Little);
        var problems = new HeaderProblems();
        problems.CheckLength(bytes, Length);
        var features = bytes.U64(FeaturesOffset) ?? 0;
        var backing = (features & HasBackingFile) != 0 ? BackingFile(bytes, problems) : null;
        return new ImageHeader("qed", problems.Capacity(bytes.Size(CapacityOffset)))
        {
            BackingFile = backing,
            BackingFormat = backing is not null && (features & BackingIsRaw) != 0 ? "raw" : null,
            Problem = problems.Text,
        };
    }

    private static string? BackingFile(HeaderBytes bytes, HeaderProblems problems) =>
        bytes.U32(BackingOffset) is { } offset && bytes.U32(BackingLengthOffset) is { } length
            ? HeaderName.Read(bytes, offset, length, HeaderName.Backing, problems)
            : null;
}
