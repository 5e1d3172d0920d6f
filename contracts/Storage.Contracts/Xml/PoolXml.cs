namespace Storage.Contracts;

/// <summary>
/// libvirt's <c>&lt;pool&gt;</c> document. Reading takes what libvirt's parser takes and judges only the form: the definition is judged
/// and completed by <see cref="PoolRules.Complete"/>. Writing gives byte for byte what libvirt prints.
/// </summary>
public static class PoolXml
{
    private static readonly (string Name, RefreshAllocation Value)[] Allocations =
        [("default", RefreshAllocation.Default), ("capacity", RefreshAllocation.Capacity)];

    /// <param name="strict">Refuses unknown elements and attributes, and parts that the type does not have; otherwise they are passed over.</param>
    /// <exception cref="StorageException">
    /// The document is wrong; the field is a path in it, such as <c>pool/source/host[2]/@name</c>. No other exception is thrown.
    /// </exception>
    public static PoolDefinition Read(string xml, bool strict = false) => XmlInput.Read(xml, "pool", strict, Read);

    /// <inheritdoc cref="Read(string, bool)"/>
    public static PoolDefinition Read(Stream xml, bool strict = false) => XmlInput.Read(xml, "pool", strict, Read);

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

    private static PoolDefinition Read(InputElement pool)
    {
        var name = pool.RequiredAttribute("type");
        var type = PoolTypes.Find(name) ?? throw pool.WrongAttribute("type", "Unknown pool type.");
        pool.Ignore("capacity", "allocation", "available");
        return new PoolDefinition
        {
            Type = type.Type,
            Source = PoolSourceXml.Read(pool.Child("source"), type),
            Name = pool.ChildText("name"),
            Uuid = Uuid(pool.Child("uuid")),
            CopyOnWrite = CopyOnWrite(pool.Child("features")?.Child("cow")),
            Target = type.TargetPath == TargetPathRule.None ? new PoolTarget() : Target(pool.Child("target")),
            RefreshAllocation = Allocation(pool.Child("refresh")?.Child("volume")),
            MountOptions = type.Has(PoolTraits.MountOptions) ? PoolOptionsXml.ReadMountOptions(pool) : null,
            ConfigOptions = type.Has(PoolTraits.ConfigOptions) ? PoolOptionsXml.ReadConfigOptions(pool) : null,
        };
    }

    private static Guid? Uuid(InputElement? element) =>
        element?.Text is { } text ? UuidXml.Parse(text) ?? throw element.Wrong("This is not a uuid.") : null;

    private static bool? CopyOnWrite(InputElement? cow) =>
        cow is null ? null : cow.YesNo("state") ?? throw cow.WrongAttribute("state", "<cow> needs a state.");

    private static PoolTarget Target(InputElement? target) =>
        new() { Path = target?.ChildText("path"), Permissions = PermissionsXml.Read(target) };

    private static RefreshAllocation? Allocation(InputElement? volume)
    {
        if (volume?.Attribute("allocation") is not { Length: > 0 } text)
            return null;
        var (name, value) = Array.Find(Allocations, row => row.Name == text);
        return name is null
            ? throw volume.WrongAttribute("allocation", "A refresh allocation is default or capacity.", ErrorCodes.UnsupportedConfiguration)
            : value;
    }
}
