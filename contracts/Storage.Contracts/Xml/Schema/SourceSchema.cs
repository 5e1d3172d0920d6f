using static Storage.Contracts.Datatypes;
using static Storage.Contracts.Part;
using static Storage.Contracts.StorageShapes;

namespace Storage.Contracts;

/// <summary>libvirt's schema of the <c>&lt;source&gt;</c> of a pool.</summary>
internal static class SourceSchema
{
    private static readonly Shape NamedText = new(Must("@name", Text));

    /// <summary>Who made it: any text.</summary>
    private static readonly Part[] Maker = [May("vendor", NamedText), May("product", NamedText)];

    private static readonly Part Name = Must("name", Shape.Text(Text));

    private static readonly Part Hosts = Some("host", new Shape(Must("@name", Host), May("@port", Port)));

    private static readonly Part Device = Must("device", new Shape(
        Must("@path", Datatypes.Device), May("@part_separator", YesNo), Any("freeExtent", Extent)));

    private static readonly Part IscsiDevice = Must("device", new Shape(Must("@path", IscsiName)));

    private static readonly Part RootedDir = Must("dir", new Shape(Must("@path", AbsoluteDirectory)));

    private static readonly Part Dir = Must("dir", new Shape(Must("@path", AnyPath)));

    private static readonly Part Initiator = Must("initiator", new Shape(Must("iqn", NamedText)));

    private static readonly Part Protocol = May("protocol", new Shape(Must("@ver", Text)));

    private static readonly Part Auth = May("auth", new Shape(
        Must("@type", Datatype.OneOf("chap", "ceph")),
        Must("@username", Text),
        Must("secret", new Shape(Must("@uuid", Text).Or("@usage"), Must("@usage", Text).Or("@uuid")))));

    private static readonly PoolTypeInfo Netfs = PoolTypes.Of(PoolType.Netfs);
    private static readonly string[] ShareFormats = [.. Netfs.SourceFormats.Except(Netfs.VersionedFormats)];

    private static readonly Shape Nfs = new([Hosts, RootedDir, Format(Netfs.VersionedFormats).Optional(), Protocol, .. Maker]);
    private static readonly Shape Share = new([Hosts, Dir, Format(ShareFormats), .. Maker]);

    private static readonly Dictionary<PoolType, Part> Sources = new()
    {
        [PoolType.Dir] = May("source", new Shape(Maker)),
        [PoolType.Fs] = Must("source", new Shape([Device, Format(PoolType.Fs), .. Maker])),
        [PoolType.Netfs] = Must("source", source => IsShare(source) ? Share : Nfs),
        [PoolType.Logical] = Must("source", new Shape(
            [Name.AnyNumber(), Device.AnyNumber(), Format(PoolType.Logical, Maker), .. Maker])),
        [PoolType.Disk] = Must("source", new Shape([Device, Format(PoolType.Disk, Maker), .. Maker])),
        [PoolType.Iscsi] = Must("source", new Shape([Hosts, Device, Initiator.Optional(), Auth, .. Maker])),
        [PoolType.IscsiDirect] = Must("source", new Shape(Hosts, IscsiDevice, Initiator, Auth)),
        [PoolType.Scsi] = Must("source", new Shape([Must("adapter", AdapterSchema.Of), .. Maker])),
        [PoolType.Mpath] = May("source", Shape.Empty),
        [PoolType.Rbd] = Must("source", new Shape(Name, Hosts, Auth)),
        [PoolType.Sheepdog] = Must("source", new Shape(Hosts, Name)),
        [PoolType.Gluster] = Must("source", new Shape(Hosts, Name, RootedDir.Optional())),
        [PoolType.Zfs] = Must("source", new Shape(Name, Device.Optional())),
        [PoolType.Vstorage] = Must("source", new Shape(Name)),
    };

    public static Part Of(PoolTypeInfo type) => Sources[type.Type];

    private static Part Format(PoolType type, params Part[] parts) => Format(PoolTypes.Of(type).SourceFormats, parts).Optional();

    private static Part Format(IReadOnlyList<string> formats, params Part[] parts) =>
        Must("format", new Shape([Must("@type", Datatype.OneOf(formats)), .. parts]));

    private static bool IsShare(InputElement source) =>
        source.ChildAttribute("format", "type") is { } format && ShareFormats.Contains(Datatype.Trim(format));
}
