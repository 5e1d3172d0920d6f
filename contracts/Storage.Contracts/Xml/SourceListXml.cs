namespace Storage.Contracts;

/// <summary>libvirt's <c>&lt;sources&gt;</c>: what a search for pool sources found.</summary>
public static class SourceListXml
{
    /// <param name="type">The type of pool that was searched for.</param>
    /// <param name="strict">Refuses unknown elements and attributes.</param>
    /// <exception cref="StorageException">The document is wrong; the field is a path in it.</exception>
    public static IReadOnlyList<PoolSource> Read(string xml, PoolTypeInfo type, bool strict = false) =>
        XmlInput.Read(xml, "sources", strict, sources => Read(sources, type));

    /// <inheritdoc cref="Read(string, PoolTypeInfo, bool)"/>
    public static IReadOnlyList<PoolSource> Read(Stream xml, PoolTypeInfo type, bool strict = false) =>
        XmlInput.Read(xml, "sources", strict, sources => Read(sources, type));

    public static string Write(IReadOnlyList<PoolSource> sources, PoolTypeInfo type)
    {
        var output = new XmlOutput();
        output.Open("sources");
        foreach (var source in sources)
            PoolSourceXml.Write(output, source, type);
        output.Close();
        return output.ToString();
    }

    private static IReadOnlyList<PoolSource> Read(InputElement sources, PoolTypeInfo type) =>
        [.. sources.Children("source").Select(source => PoolSourceXml.Read(source, type))];
}
