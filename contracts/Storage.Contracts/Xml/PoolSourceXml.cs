using System.Globalization;

namespace Storage.Contracts;

/// <summary>libvirt's <c>&lt;source&gt;</c> of a pool. The parts that the pool's type does not have are neither read nor written.</summary>
public static class PoolSourceXml
{
    private const string Root = "source";

    /// <summary>Reads a document that is a source, as a search for sources takes it, and judges it by the rules.</summary>
    /// <param name="type">The type of pool that it is for.</param>
    /// <param name="strict">Holds the document to libvirt's schema.</param>
    /// <exception cref="StorageException">The document is wrong; the field is as of <see cref="PoolXml.Read(string, bool)"/>.</exception>
    public static PoolSource Read(string xml, PoolTypeInfo type, bool strict = false) => Read(XmlInput.Read(xml, Root), type, strict);

    /// <inheritdoc cref="Read(string, PoolTypeInfo, bool)"/>
    public static PoolSource Read(ReadOnlyMemory<byte> xml, PoolTypeInfo type, bool strict = false) =>
        Read(XmlInput.Read(xml, Root), type, strict);

    public static string Write(PoolSource source, PoolTypeInfo type)
    {
        var output = new XmlOutput();
        Write(output, source, type);
        return output.ToString();
    }

    internal static void Write(XmlOutput output, PoolSource source, PoolTypeInfo type)
    {
        output.Open("source");
        if (type.Has(SourceParts.Hosts))
        {
            foreach (var host in source.Hosts)
                output.Empty("host", ("name", host.Name), ("port", host.Port is null or 0 ? null : Text(host.Port.Value)));
        }
        if (type.Has(SourceParts.Devices))
        {
            foreach (var device in source.Devices)
                WriteDevice(output, device);
        }
        if (type.Has(SourceParts.Dir))
            WriteEmpty(output, "dir", "path", source.Dir);
        if (type.Has(SourceParts.Adapter))
            AdapterXml.Write(output, source.Adapter);
        if (type.Has(SourceParts.Name))
            output.Text("name", source.Name);
        if (type.Has(SourceParts.Initiator) && source.Initiator is not null)
        {
            output.Open("initiator");
            output.Empty("iqn", ("name", source.Initiator));
            output.Close();
        }
        if (type.Has(SourceParts.Format))
            WriteEmpty(output, "format", "type", source.Format ?? type.DefaultSourceFormat);
        AuthXml.Write(output, source.Auth);
        WriteEmpty(output, "protocol", "ver", source.ProtocolVersion);
        WriteEmpty(output, "vendor", "name", source.Vendor);
        WriteEmpty(output, "product", "name", source.Product);
        output.Close();
    }

    private static void WriteDevice(XmlOutput output, SourceDevice device)
    {
        var separator = device.PartSeparator switch { true => "yes", false => "no", null => null };
        if (device.FreeExtents is not { Count: > 0 } extents)
        {
            output.Empty("device", ("path", device.Path), ("part_separator", separator));
            return;
        }
        output.Open("device", ("path", device.Path), ("part_separator", separator));
        foreach (var extent in extents)
            output.Empty("freeExtent", ("start", Text(extent.Start)), ("end", Text(extent.End)));
        output.Close();
    }

    private static void WriteEmpty(XmlOutput output, string name, string attribute, string? value)
    {
        if (value is not null)
            output.Empty(name, (attribute, value));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static PoolSource Read(InputElement source, PoolTypeInfo type, bool strict)
    {
        if (strict)
            PoolSchema.CheckSource(source, type);
        return DocumentPaths.Judge(source, () => SourceRules.Complete(type, new SourceElement(source, type)));
    }
}
