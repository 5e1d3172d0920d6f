using System.Globalization;

namespace Storage.Contracts;

/// <summary>
/// libvirt's <c>&lt;volume&gt;</c> document. Reading takes what libvirt's parser takes and judges only the form: the definition is
/// judged and completed by <see cref="VolumeRules.Complete"/>. Writing gives byte for byte what libvirt prints.
/// </summary>
public static class VolumeXml
{
    private static readonly (string Name, VolumeKind Kind)[] Kinds =
    [
        ("file", VolumeKind.File), ("block", VolumeKind.Block), ("dir", VolumeKind.Dir),
        ("network", VolumeKind.Network), ("netdir", VolumeKind.Netdir), ("ploop", VolumeKind.Ploop),
    ];

    /// <param name="type">The type of the pool that the volume is in: it says whether a volume has a format.</param>
    /// <param name="strict">Refuses unknown elements and attributes; otherwise they are passed over.</param>
    /// <exception cref="StorageException">
    /// The document is wrong; the field is a path in it, such as <c>volume/target/permissions/mode</c>. No other exception is thrown.
    /// </exception>
    public static VolumeDefinition Read(string xml, PoolTypeInfo type, bool strict = false) =>
        XmlInput.Read(xml, "volume", strict, volume => Read(volume, type));

    /// <inheritdoc cref="Read(string, PoolTypeInfo, bool)"/>
    public static VolumeDefinition Read(Stream xml, PoolTypeInfo type, bool strict = false) =>
        XmlInput.Read(xml, "volume", strict, volume => Read(volume, type));

    /// <summary>The document of a volume. libvirt prints the sizes always, 0 while nothing is known, and <c>nocow</c> never.</summary>
    public static string Write(VolumeDefinition volume, PoolTypeInfo type)
    {
        var output = new XmlOutput();
        output.Open("volume", ("type", Array.Find(Kinds, row => row.Kind == (volume.Type ?? VolumeKind.File)).Name));
        output.Text("name", volume.Name);
        output.Text("key", volume.Key);
        WriteExtents(output, volume.Extents);
        SizeXml.Write(output, "capacity", volume.Capacity ?? 0);
        SizeXml.Write(output, "allocation", volume.Allocation ?? 0);
        if (volume.Physical is { } physical and not 0)
            SizeXml.Write(output, "physical", physical);
        WriteTarget(output, volume, type);
        if (volume.BackingStore is { } backing)
        {
            output.Open("backingStore");
            output.Text("path", backing.Path);
            WriteFormat(output, backing.Format, type);
            PermissionsXml.Write(output, backing.Permissions);
            output.Close();
        }
        output.Close();
        return output.ToString();
    }

    private static VolumeDefinition Read(InputElement volume, PoolTypeInfo type)
    {
        volume.Ignore("physical", "source");
        var target = volume.Child("target");
        target?.Ignore("timestamps");
        return new VolumeDefinition
        {
            Type = Kind(volume),
            Name = volume.ChildText("name") ?? throw Missing(volume, "name"),
            Key = volume.ChildText("key"),
            Capacity = SizeXml.Read(volume, "capacity"),
            Allocation = SizeXml.Read(volume, "allocation"),
            Path = target?.ChildText("path"),
            Format = Format(target, type),
            Permissions = PermissionsXml.Read(target),
            Encryption = EncryptionXml.Read(target?.Child("encryption")),
            Compat = target?.ChildText("compat"),
            NoCow = target?.Child("nocow") is not null,
            ClusterSize = target is null ? null : SizeXml.Read(target, "clusterSize"),
            Features = target?.Child("features")?.ChildNames(),
            BackingStore = Backing(volume.Child("backingStore"), type),
        };
    }

    private static VolumeKind? Kind(InputElement volume)
    {
        if (volume.Attribute("type") is not { } text)
            return null;
        var (name, kind) = Array.Find(Kinds, row => row.Name == text);
        return name is null
            ? throw volume.WrongAttribute("type", "Unknown volume type.", ErrorCodes.UnsupportedConfiguration)
            : kind;
    }

    private static BackingStore? Backing(InputElement? backing, PoolTypeInfo type)
    {
        backing?.Ignore("timestamps");
        return backing?.ChildText("path") is { } path
            ? new BackingStore(path, Format(backing, type), PermissionsXml.Read(backing))
            : null;
    }

    /// <summary>The format; passed over where volumes of the type have none.</summary>
    private static string? Format(InputElement? parent, PoolTypeInfo type)
    {
        var format = parent?.ChildAttribute("format", "type");
        return type.VolumeFormats.Count > 0 ? format : null;
    }

    private static void WriteTarget(XmlOutput output, VolumeDefinition volume, PoolTypeInfo type)
    {
        output.Open("target");
        output.Text("path", volume.Path);
        WriteFormat(output, volume.Format, type);
        PermissionsXml.Write(output, volume.Permissions);
        TimestampsXml.Write(output, volume.Timestamps);
        EncryptionXml.Write(output, volume.Encryption);
        output.Text("compat", volume.Compat);
        if (volume.ClusterSize is { } clusterSize and > 0)
            SizeXml.Write(output, "clusterSize", clusterSize, unit: "B");
        WriteFeatures(output, volume.Features);
        output.Close();
    }

    private static void WriteFormat(XmlOutput output, string? format, PoolTypeInfo type)
    {
        if (type.VolumeFormats.Count > 0)
            output.Empty("format", ("type", format ?? type.DefaultVolumeFormat));
    }

    private static void WriteFeatures(XmlOutput output, IReadOnlyList<string>? features)
    {
        if (features is null)
            return;
        if (features.Count == 0)
        {
            output.Empty("features");
            return;
        }
        output.Open("features");
        foreach (var feature in ImageRules.Features.Where(features.Contains))
            output.Empty(feature);
        output.Close();
    }

    private static void WriteExtents(XmlOutput output, IReadOnlyList<SourceExtent>? extents)
    {
        if (extents is not { Count: > 0 })
            return;
        output.Open("source");
        string? device = null;
        foreach (var extent in extents)
        {
            if (extent.Device != device)
            {
                if (device is not null)
                    output.Close();
                output.Open("device", ("path", extent.Device));
                device = extent.Device;
            }
            output.Empty("extent", ("start", Text(extent.Start)), ("end", Text(extent.End)));
        }
        output.Close();
        output.Close();
    }

    private static StorageException Missing(InputElement parent, string name) =>
        new(ErrorCodes.InvalidDefinition, $"<{parent.LocalName}> needs a <{name}>.", $"{parent.Path}/{name}");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
