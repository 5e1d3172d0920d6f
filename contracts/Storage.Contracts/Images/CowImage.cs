namespace Storage.Contracts.Images;

/// <summary>User-mode Linux's cow.</summary>
internal static class CowImage
{
    private const int BackingOffset = 8;
    private const int BackingLength = 1024;
    private const int CapacityOffset = 1036;

    public static ImageHeader Read(ReadOnlySpan<byte> head)
    {
        var header = SizedImage.Read("cow", head, ByteOrder.Big, CapacityOffset);
        var name = new HeaderBytes(head, ByteOrder.Big).Text(BackingOffset, BackingLength);
        return name switch
        {
            null => header with { Problem = header.Problem ?? "The backing file's name is not text." },
            "" => header,
            _ => header with { BackingFile = name },
        };
    }
}
