using System.Globalization;

namespace Storage.Contracts;

/// <summary>
/// libvirt's <c>&lt;volume&gt;</c> document. Reading takes what libvirt's parser takes, and judges and completes it by the rules of
/// <see cref="VolumeRules"/>. Writing gives byte for byte what libvirt prints.
/// </summary>
public static class VolumeXml
{
    private const string Root = "volume";

    internal static readonly (string Name, VolumeKind Kind)[] Kinds =
    [
        ("file", VolumeKind.File), ("block", VolumeKind.Block), ("dir", VolumeKind.Dir),
        ("network", VolumeKind.Network), ("netdir", VolumeKind.Netdir), ("ploop", VolumeKind.Ploop),
    ];

    /// <param name="type">The type of the pool that the volume is in: it says whether a volume has a format.</param>
    /// <param name="strict">Holds the document to libvirt's schema; otherwise what is unknown is passed over.</param>
    /// <param name="purpose">What it is judged for; nothing is left out for any.</param>
    /// <exception cref="StorageException">
    /// The document is wrong. Of several mistakes it is the one that libvirt would name first. The field is a path in the document, such
    /// as <c>volume/target/permissions/mode</c>. No other exception is thrown.
    /// </exception>
    public static VolumeDefinition Read(
        string xml, PoolTypeInfo type, bool strict = false, VolumePurpose purpose = VolumePurpose.Describe) =>
        Read(XmlInput.Read(xml, Root), type, strict, purpose);

    /// <inheritdoc cref="Read(string, PoolTypeInfo, bool, VolumePurpose)"/>
    public static VolumeDefinition Read(
        ReadOnlyMemory<byte> xml, PoolTypeInfo type, bool strict = false, VolumePurpose purpose = VolumePurpose.Describe) =>
        Read(XmlInput.Read(xml, Root), type, strict, purpose);

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

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static VolumeDefinition Read(InputElement volume, PoolTypeInfo type, bool strict, VolumePurpose purpose)
    {
        if (strict)
            VolumeSchema.Check(volume);
        return DocumentPaths.Judge(volume, () => VolumeRules.Check(type, new VolumeElement(volume, type), purpose));
    }
}
