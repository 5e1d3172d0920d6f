namespace Storage.Contracts;

/// <summary>libvirt's <c>&lt;sources&gt;</c>: what a search for pool sources found.</summary>
public static class SourceListXml
{
    private const string Root = "sources";

    /// <param name="type">The type of pool that was searched for.</param>
    /// <exception cref="StorageException">The document is wrong; the field is as of <see cref="PoolXml.Read(string, bool)"/>.</exception>
    public static IReadOnlyList<PoolSource> Read(string xml, PoolTypeInfo type) =>
        [.. XmlInput.Read(xml, Root).Children("source").Select(source => SourceRules.Complete(type, new SourceElement(source, type)))];

    public static string Write(IReadOnlyList<PoolSource> sources, PoolTypeInfo type)
    {
        var output = new XmlOutput();
        output.Open(Root);
        foreach (var source in sources)
            PoolSourceXml.Write(output, source, type);
        output.Close();
        return output.ToString();
    }
}
