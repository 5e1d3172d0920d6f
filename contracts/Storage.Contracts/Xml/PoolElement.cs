namespace Storage.Contracts;

/// <summary>The parts of a <c>&lt;pool&gt;</c>.</summary>
internal sealed class PoolElement(InputElement pool) : IPoolParts
{
    private const string TypeAttribute = "type";

    private readonly PoolTypeInfo type = PoolTypes.Find(pool.RequiredAttribute(TypeAttribute))
        ?? throw pool.WrongAttribute(TypeAttribute, "Unknown pool type.");

    public PoolType Type => type.Type;

    public ISourceParts Source => pool.Child("source") is { } source ? new SourceElement(source, type) : new PoolSource();

    public string? Name => pool.ChildText("name");

    public Guid? Uuid =>
        pool.Child("uuid") is { Text: { } text } uuid ? UuidXml.Parse(text) ?? throw uuid.Wrong("This is not a uuid.") : null;

    public bool? CopyOnWrite => pool.Child("features")?.Child("cow")?.YesNo("state");

    public PoolTarget Target => pool.Child("target") is { } target
        ? new PoolTarget { Path = target.ChildText("path"), Permissions = PermissionsXml.Read(target) }
        : new PoolTarget();

    public RefreshAllocation? RefreshAllocation
    {
        get
        {
            if (pool.Child("refresh")?.Child("volume") is not { } volume || volume.Attribute("allocation") is not { Length: > 0 } text)
                return null;
            var (name, value) = Array.Find(PoolXml.Allocations, row => row.Name == text);
            return name is null
                ? throw volume.WrongAttribute("allocation", "A refresh allocation is default or capacity.", ErrorCodes.UnsupportedConfiguration)
                : value;
        }
    }

    public IReadOnlyList<string>? MountOptions => type.Has(PoolTraits.MountOptions) ? PoolOptionsXml.ReadMountOptions(pool) : null;

    public IReadOnlyList<ConfigOption>? ConfigOptions => type.Has(PoolTraits.ConfigOptions) ? PoolOptionsXml.ReadConfigOptions(pool) : null;
}

/// <summary>The parts of a pool's <c>&lt;source&gt;</c>. Those that the type does not have are not read.</summary>
internal sealed class SourceElement(InputElement source, PoolTypeInfo type) : ISourceParts
{
    public string? Name => type.Has(SourceParts.Name) ? source.ChildText("name") : null;

    public string? Format => type.Has(SourceParts.Format) ? source.ChildAttribute("format", "type") : null;

    public IReadOnlyList<SourceHost> Hosts => type.Has(SourceParts.Hosts) ? [.. source.Children("host").Select(Host)] : [];

    public string? Initiator => type.Has(SourceParts.Initiator) ? source.Child("initiator")?.ChildAttribute("iqn", "name") : null;

    public IReadOnlyList<SourceDevice> Devices => type.Has(SourceParts.Devices) ? [.. source.Children("device").Select(Device)] : [];

    public string? Dir => type.Has(SourceParts.Dir) ? source.ChildAttribute("dir", "path") : null;

    public SourceAdapter? Adapter => type.Has(SourceParts.Adapter) ? AdapterXml.Read(source.Child("adapter")) : null;

    public SourceAuth? Auth => AuthXml.Read(source.Child("auth"));

    public string? ProtocolVersion => source.ChildAttribute("protocol", "ver");

    public string? Vendor => source.ChildAttribute("vendor", "name");

    public string? Product => source.ChildAttribute("product", "name");

    private static SourceHost Host(InputElement host) => new(host.RequiredAttribute("name"), host.Number("port"));

    private static SourceDevice Device(InputElement device) => new(device.RequiredAttribute("path"), device.YesNo("part_separator"));
}
