namespace Storage.Contracts.Images;

/// <summary>Formats of which only the capacity is read: vpc, vdi, ploop.</summary>
internal static class SizedImage
{
    public static ImageHeader Read(string format, ReadOnlySpan<byte> head, ByteOrder order, int capacityOffset, uint unit = 1) =>
        new HeaderBytes(head, order).Size(capacityOffset, unit) is { } capacity
            ? new(format, capacity)
            : new(format, null) { Problem = "The header says no possible size." };
}
