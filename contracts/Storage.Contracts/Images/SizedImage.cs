namespace Storage.Contracts.Images;

/// <summary>
/// Formats of which only the capacity is read: vpc, vdi, ploop. That of vpc is the footer's original size, as in libvirt; QEMU
/// calculates it from the geometry in images of some programs, and writes both alike in its own.
/// </summary>
internal static class SizedImage
{
    public static ImageHeader Read(string format, ReadOnlySpan<byte> head, ByteOrder order, int capacityOffset, uint unit = 1)
    {
        var problems = new HeaderProblems();
        return new(format, problems.Capacity(new HeaderBytes(head, order).Size(capacityOffset, unit))) { Problem = problems.Text };
    }
}
