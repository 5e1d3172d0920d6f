namespace Storage.Contracts;

/// <summary>
/// libvirt's <c>&lt;pool&gt;</c> document. Reading takes what libvirt's parser takes, and judges and completes it by the rules of
/// <see cref="PoolRules"/>. Writing gives byte for byte what libvirt prints.
/// </summary>
public static class PoolXml
{
    private const string Root = "pool";

    internal static readonly (string Name, RefreshAllocation Value)[] Allocations =
        [("default", RefreshAllocation.Default), ("capacity", RefreshAllocation.Capacity)];

    /// <param name="strict">Holds the document to libvirt's schema; otherwise what is unknown is passed over.</param>
    /// <exception cref="StorageException">
    /// The document is wrong. Of several mistakes it is the one that libvirt would name first. The field is a path in the document, such
    /// as <c>pool/source/host[2]/@name</c>. No other exception is thrown.
    /// </exception>
    public static PoolDefinition Read(string xml, bool strict = false) => Read(XmlInput.Read(xml, Root), strict);

    /// <inheritdoc cref="Read(string, bool)"/>
    public static PoolDefinition Read(ReadOnlyMemory<byte> xml, bool strict = false) => Read(XmlInput.Read(xml, Root), strict);

    /// <summary>The document of a pool. The figures are bytes; libvirt prints them always, 0 while nothing is known.</summary>
    public static string Write(PoolDefinition pool, long capacity = 0, long allocation = 0, long available = 0)
    {
        var type = PoolTypes.Of(pool.Type);
        var output = new XmlOutput();
        output.Open("pool", [("type", type.Name), .. PoolOptionsXml.Declarations(pool)]);
        output.Text("name", pool.Name);
        output.Text("uuid", pool.Uuid?.ToString());
        SizeXml.Write(output, "capacity", capacity);
        SizeXml.Write(output, "allocation", allocation);
        SizeXml.Write(output, "available", available);
        if (pool.CopyOnWrite is { } copyOnWrite)
        {
            output.Open("features");
            output.Empty("cow", ("state", copyOnWrite ? "yes" : "no"));
            output.Close();
        }
        PoolSourceXml.Write(output, pool.Source, type);
        if (type.TargetPath != TargetPathRule.None)
        {
            output.Open("target");
            output.Text("path", pool.Target.Path);
            PermissionsXml.Write(output, pool.Target.Permissions);
            output.Close();
        }
        if (pool.RefreshAllocation is { } refresh)
        {
            output.Open("refresh");
            output.Empty("volume", ("allocation", Array.Find(Allocations, row => row.Value == refresh).Name));
            output.Close();
        }
        PoolOptionsXml.Write(output, pool);
        output.Close();
        return output.ToString();
    }

    private static PoolDefinition Read(InputElement pool, bool strict)
    {
        if (strict)
            PoolSchema.Check(pool);
        return DocumentPaths.Judge(pool, () => PoolRules.Complete(new PoolElement(pool)));
    }
}
