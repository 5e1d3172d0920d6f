namespace Storage.Contracts.Images;

/// <summary>QED, QEMU's enhanced disk.</summary>
internal static class QedImage
{
    private const int FeaturesOffset = 16;
    private const int CapacityOffset = 48;
    private const int BackingOffset = 56;
    private const int BackingLengthOffset = 60;
    private const ulong HasBackingFile = 1;
    private const ulong BackingIsRaw = 4;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Little);
        var problems = new HeaderProblems();
        var header = new ImageHeader("qed", bytes.Size(CapacityOffset) ?? problems.Add<long>("The header says no possible size."));
        var features = bytes.U64(FeaturesOffset) ?? 0;
        if ((features & HasBackingFile) != 0)
        {
            var name = bytes.U32(BackingOffset) is { } offset && bytes.U32(BackingLengthOffset) is { } length ? bytes.Text(offset, length) : null;
            if (string.IsNullOrEmpty(name))
                problems.Add("The backing file's name is not within the header or is not text.");
            else
                header = header with { BackingFile = name, BackingFormat = (features & BackingIsRaw) != 0 ? "raw" : null };
        }
        return header with { Problem = problems.Text };
    }
}
