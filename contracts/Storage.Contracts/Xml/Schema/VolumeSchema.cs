using static Storage.Contracts.Datatypes;
using static Storage.Contracts.Part;
using static Storage.Contracts.StorageShapes;

namespace Storage.Contracts;

/// <summary>libvirt's schema of a <c>&lt;volume&gt;</c>. It is the same in pools of all types, so it knows formats that no pool takes.</summary>
internal static class VolumeSchema
{
    private static readonly Part Format = May("format", new Shape(Must("@type", Datatype.OneOf(
    [
        "unknown", "luks", .. PoolTypes.FileSystems, .. PoolTypes.All.SelectMany(type => type.VolumeFormats).Distinct(),
    ]))));

    private static readonly Shape Timestamp = Shape.Text(Datatypes.Timestamp);

    private static readonly Part Timestamps = May("timestamps", new Shape(
        May("atime", Timestamp), May("btime", Timestamp), May("ctime", Timestamp), May("mtime", Timestamp)));

    private static readonly Shape Secret = new(
        Must("@type", Datatype.OneOf("passphrase")), Must("@uuid", Uuid).Or("@usage"), Must("@usage", Text).Or("@uuid"));

    private static readonly Shape Cipher = new(
        Must("@name", Text), Must("@size", UnsignedInt), May("@mode", Text).With("@hash"), May("@hash", Text).With("@mode"));

    private static readonly Shape Encryption = new(
        Must("@format", Datatype.OneOf("default", "qcow", "luks", "luks2", "luks-any")),
        May("@engine", Datatype.OneOf("qemu", "librbd")),
        Any("secret", Secret),
        May("cipher", Cipher).With("secret", "ivgen"),
        May("ivgen", new Shape(Must("@name", Text), May("@hash", Text))).With("secret", "cipher"));

    private static readonly Shape Target = new(
        May("path", Shape.Text(VolumePath)),
        Format,
        StorageShapes.Permissions,
        Timestamps,
        May("encryption", Encryption),
        May("compat", Shape.Text(Compat)),
        May("nocow", Shape.Empty),
        May("clusterSize", Size),
        May("features", new Shape(May("lazy_refcounts", Shape.Empty), May("extended_l2", Shape.Empty))));

    private static readonly Shape BackingStore = new(
        Must("path", Shape.Text(AbsoluteFile)), Format, StorageShapes.Permissions, Timestamps);

    private static readonly Shape Volume = new(
        May("@type", Datatype.OneOf("file", "block", "dir", "network", "netdir")),
        Must("name", Shape.Text(VolumeName)),
        May("key", Shape.Text(Text)),
        May("source", new Shape(Any("device", new Shape(Must("@path", AbsoluteFile), Any("extent", Extent))))),
        May("capacity", Size),
        May("allocation", Size),
        May("physical", Size),
        Must("target", Target),
        May("backingStore", BackingStore));

    public static void Check(InputElement volume) => SchemaCheck.Check(volume, Volume);
}
