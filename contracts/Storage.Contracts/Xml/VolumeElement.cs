namespace Storage.Contracts;

/// <summary>The parts of a <c>&lt;volume&gt;</c>. A format is passed over where volumes of the pool's type have none.</summary>
internal sealed class VolumeElement(InputElement volume, PoolTypeInfo type) : IVolumeParts
{
    private readonly InputElement? target = volume.Child("target");

    /// <summary>May be left out where the pool gives its volumes their names.</summary>
    public string? Name => volume.ChildText("name") ?? (type.Has(PoolTraits.GivenVolumeNames)
        ? null
        : throw new StorageException(ErrorCodes.InvalidDefinition, "<volume> needs a <name>.", $"{volume.Path}/name"));

    public string? Key => volume.ChildText("key");

    public VolumeKind? Type
    {
        get
        {
            if (volume.Attribute("type") is not { Length: > 0 } text)
                return null;
            var (name, kind) = Array.Find(VolumeXml.Kinds, row => row.Name == text);
            return name is null
                ? throw volume.WrongAttribute("type", "Unknown volume type.", ErrorCodes.UnsupportedConfiguration)
                : kind;
        }
    }

    public BackingStore? BackingStore => volume.Child("backingStore") is { } backing && backing.ChildText("path") is { } path
        ? new BackingStore(path, FormatOf(backing), PermissionsXml.Read(backing))
        : null;

    public long? Capacity => SizeXml.Read(volume, "capacity");

    public long? Allocation => SizeXml.Read(volume, "allocation");

    public Preallocation? Preallocation => null;

    public VolumeLayout? Layout => null;

    public string? Path => target?.ChildText("path");

    public string? Format => FormatOf(target);

    public Permissions? Permissions => PermissionsXml.Read(target);

    public VolumeEncryption? Encryption => EncryptionXml.Read(target?.Child("encryption"));

    public string? Compat => target?.ChildText("compat");

    public bool NoCow => target?.Child("nocow") is not null;

    public long? ClusterSize => target is null ? null : SizeXml.Read(target, "clusterSize");

    public IReadOnlyList<string>? Features => target?.Child("features") is { } features
        ? [.. features.Elements.Where(feature => feature.Namespace.Length == 0).Select(feature => feature.LocalName)]
        : null;

    private string? FormatOf(InputElement? parent) => type.VolumeFormats.Count > 0 ? parent?.ChildAttribute("format", "type") : null;
}
