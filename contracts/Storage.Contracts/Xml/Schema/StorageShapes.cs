using static Storage.Contracts.Datatypes;
using static Storage.Contracts.Part;

namespace Storage.Contracts;

/// <summary>Shapes that pools and volumes share.</summary>
internal static class StorageShapes
{
    public static readonly Shape Size = Shape.Text(UnsignedLong, May("@unit", Unit));

    public static readonly Part Permissions = May("permissions", new Shape(
        May("mode", Shape.Text(Mode)), May("owner", Shape.Text(OwnerId)), May("group", Shape.Text(OwnerId)), May("label", Shape.Text(Text))));

    /// <summary>A part of a device, from a byte to a byte.</summary>
    public static readonly Shape Extent = new(Must("@start", UnsignedLong), Must("@end", UnsignedLong));
}
