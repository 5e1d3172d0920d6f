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

    private static readonly Dictionary<PoolType, Func<PoolTypeInfo, Part>> Sources = new()
    {
        [PoolType.Dir] = _ => Source(Maker).Optional(),
        [PoolType.Fs] = type => Source([Device, Format(type.SourceFormats).Optional(), .. Maker]),
        [PoolType.Netfs] = Netfs,
        [PoolType.Logical] = type => Source([Name.AnyNumber(), Device.AnyNumber(), Format(type.SourceFormats, Maker).Optional(), .. Maker]),
        [PoolType.Disk] = type => Source([Device, Format(type.SourceFormats, Maker).Optional(), .. Maker]),
        [PoolType.Iscsi] = _ => Source([Hosts, Device, Initiator.Optional(), Auth, .. Maker]),
        [PoolType.IscsiDirect] = _ => Source(Hosts, IscsiDevice, Initiator, Auth),
        [PoolType.Scsi] = _ => Source([Must("adapter", AdapterSchema.Of), .. Maker]),
        [PoolType.Mpath] = _ => Source().Optional(),
        [PoolType.Rbd] = _ => Source(Name, Hosts, Auth),
        [PoolType.Sheepdog] = _ => Source(Hosts, Name),
        [PoolType.Gluster] = _ => Source(Hosts, Name, RootedDir.Optional()),
        [PoolType.Zfs] = _ => Source(Name, Device.Optional()),
        [PoolType.Vstorage] = _ => Source(Name),
    };

    public static Part Of(PoolTypeInfo type) => Sources[type.Type](type);

    private static Part Source(params IReadOnlyList<Part> parts) => Must("source", new Shape(parts));

    /// <summary>NFS is the rule; the formats that have no versions make a source of another kind.</summary>
    private static Part Netfs(PoolTypeInfo type)
    {
        string[] shares = [.. type.SourceFormats.Except(type.VersionedFormats)];
        var share = new Shape([Hosts, Dir, Format(shares), .. Maker]);
        var nfs = new Shape([Hosts, RootedDir, Format(type.VersionedFormats).Optional(), Protocol, .. Maker]);
        return Must("source", source => shares.Contains(Datatype.Trim(source.ChildAttribute("format", "type") ?? "")) ? share : nfs);
    }

    private static Part Format(IReadOnlyList<string> formats, params Part[] parts) =>
        Must("format", new Shape([Must("@type", Datatype.OneOf(formats)), .. parts]));
}
