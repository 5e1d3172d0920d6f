namespace Storage.Contracts.Images;

/// <summary>VMDK with a sparse extent header; the backing file is named in the text that is embedded after it.</summary>
internal static class VmdkImage
{
    private const int CapacityOffset = 12;
    private const int SectorSize = 512;
    private const int Length = 512;
    private const int DescriptorOffset = 0x200;
    private const int DescriptorLength = 20 * SectorSize;

    private static ReadOnlySpan<byte> ParentHint => "parentFileNameHint=\""u8;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var bytes = new HeaderBytes(head, ByteOrder.Little);
        var problems = new HeaderProblems();
        problems.CheckLength(bytes, Length);
        return new ImageHeader("vmdk", problems.Capacity(bytes.Size(CapacityOffset, SectorSize)))
        {
            BackingFile = BackingFile(head, problems),
            Problem = problems.Text,
        };
    }

    private static string? BackingFile(ReadOnlySpan<byte> head, HeaderProblems problems)
    {
        if (head.Length <= DescriptorOffset)
            return null;
        var descriptor = head[DescriptorOffset..Math.Min(head.Length, DescriptorOffset + DescriptorLength)];
        var end = descriptor.IndexOf((byte)0);
        if (end >= 0)
            descriptor = descriptor[..end];
        var hint = descriptor.IndexOf(ParentHint);
        if (hint < 0)
            return null;
        var value = descriptor[(hint + ParentHint.Length)..];
        var quote = value.IndexOf((byte)'"');
        if (quote >= 0)
            return HeaderName.Read(value[..quote], HeaderName.Backing, problems);
        problems.Add($"{HeaderName.Backing} is cut off.");
        return null;
    }
}
