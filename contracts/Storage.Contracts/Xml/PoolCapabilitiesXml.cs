namespace Storage.Contracts;

/// <summary>libvirt's <c>&lt;storagepoolCapabilities&gt;</c>: the pool types, whether they are supported, and their formats.</summary>
public static class PoolCapabilitiesXml
{
    /// <summary>libvirt lists it among the formats of files, though its parser refuses it.</summary>
    private const string None = "none";

    /// <param name="supported">Whether pools of a type can be had; the formats are listed in either case.</param>
    public static string Write(Func<PoolType, bool> supported)
    {
        var output = new XmlOutput();
        output.Open("storagepoolCapabilities");
        foreach (var type in PoolTypes.All)
        {
            output.Open("pool", ("type", type.Name), ("supported", supported(type.Type) ? "yes" : "no"));
            WriteOptions(output, "poolOptions", "sourceFormatType", type.DefaultSourceFormat, type.SourceFormats);
            WriteOptions(output, "volOptions", "targetFormatType", type.DefaultVolumeFormat, VolumeFormats(type));
            output.Close();
        }
        output.Close();
        return output.ToString();
    }

    private static IEnumerable<string> VolumeFormats(PoolTypeInfo type)
    {
        if (type.Has(PoolTraits.UnlistedVolumeFormats))
            return [];
        return type.VolumeFormats.Contains(None) ? type.VolumeFormats : type.VolumeFormats.Prepend(None);
    }

    private static void WriteOptions(XmlOutput output, string name, string enumeration, string? defaultFormat, IEnumerable<string> formats)
    {
        if (defaultFormat is null)
            return;
        output.Open(name);
        output.Empty("defaultFormat", ("type", defaultFormat));
        output.Open("enum", ("name", enumeration));
        foreach (var format in formats)
            output.Text("value", format);
        output.Close();
        output.Close();
    }
}
