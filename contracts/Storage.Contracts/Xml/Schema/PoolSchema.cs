using static Storage.Contracts.Datatypes;
using static Storage.Contracts.Part;
using static Storage.Contracts.StorageShapes;

namespace Storage.Contracts;

/// <summary>libvirt's schema of a <c>&lt;pool&gt;</c>: one for each type.</summary>
internal static class PoolSchema
{
    private static readonly Part Target = Must("target", new Shape(Must("path", Shape.Text(AbsoluteFile)), StorageShapes.Permissions));

    private static readonly Part LogicalTarget = Must("target", new Shape(May("path", Shape.Text(AbsoluteFile)), StorageShapes.Permissions));

    private static readonly Part MountOption = Any("option", new Shape(Must("@name", Text))).In(PoolOptionsXml.Mount);
    private static readonly Part MountOptions = May("mount_opts", new Shape(MountOption)).In(PoolOptionsXml.Mount);

    private static readonly Part ClientOption = Any("option", new Shape(Must("@name", Text), Must("@value", Text))).In(PoolOptionsXml.Client);
    private static readonly Part ClientOptions = May("config_opts", new Shape(ClientOption)).In(PoolOptionsXml.Client);

    private static readonly Part Refresh = May("refresh", new Shape(
        May("volume", new Shape(May("@allocation", Datatype.OneOf([.. PoolXml.Allocations.Select(row => row.Name)]))))));

    private static readonly Part Features = May("features", new Shape(May("cow", new Shape(Must("@state", YesNo)))));

    /// <summary>What a type has besides its source and what all types have.</summary>
    private static readonly Dictionary<PoolType, Part[]> Own = new()
    {
        [PoolType.Dir] = [Target],
        [PoolType.Fs] = [Target, MountOptions.AtEnd()],
        [PoolType.Netfs] = [Target, MountOptions],
        [PoolType.Logical] = [LogicalTarget],
        [PoolType.Disk] = [Target],
        [PoolType.Iscsi] = [Target],
        [PoolType.IscsiDirect] = [],
        [PoolType.Scsi] = [Target],
        [PoolType.Mpath] = [Target],
        [PoolType.Rbd] = [Refresh, ClientOptions],
        [PoolType.Sheepdog] = [],
        [PoolType.Gluster] = [],
        [PoolType.Zfs] = [Target.Optional()],
        [PoolType.Vstorage] = [Target],
    };

    private static readonly Dictionary<string, Shape> Pools = PoolTypes.All.ToDictionary(type => type.Name, Pool);

    /// <summary>Of a pool whose type is not known: nothing can be said but that.</summary>
    private static readonly Shape Untyped = new(Must("@type", Datatype.OneOf([.. Pools.Keys])));

    public static void Check(InputElement pool) =>
        SchemaCheck.Check(pool, Pools.GetValueOrDefault(Datatype.Trim(pool.Attribute("type") ?? ""), Untyped));

    /// <summary>The schema knows a source only within a pool. One that begins a search says what is known; nothing has to be in it.</summary>
    public static void CheckSource(InputElement source, PoolTypeInfo type) =>
        SchemaCheck.Check(source, SourceSchema.Of(type).Shape!(source).WithNothingRequired());

    private static Shape Pool(PoolTypeInfo type)
    {
        var name = Must("name", Shape.Text(PoolName));
        return new Shape(
        [
            Must("@type", Datatype.OneOf(type.Name)),
            type.NameFromSource ? name.Optional() : name,
            May("uuid", Shape.Text(Uuid)),
            May("capacity", Size),
            May("allocation", Size),
            May("available", Size),
            Features,
            SourceSchema.Of(type),
            .. Own[type.Type],
        ]);
    }
}
