namespace Storage.Contracts;

/// <summary>The blocks of a pool in namespaces of their own: mount options (<c>fs:</c>) and client options (<c>rbd:</c>).</summary>
internal static class PoolOptionsXml
{
    public const string Mount = "http://libvirt.org/schemas/storagepool/fs/1.0";
    public const string Client = "http://libvirt.org/schemas/storagepool/rbd/1.0";

    public static IReadOnlyList<string>? ReadMountOptions(InputElement pool) =>
        Read(pool.Child("mount_opts", Mount)?.Children("option", Mount), option => Given(option, "name"));

    public static IReadOnlyList<ConfigOption>? ReadConfigOptions(InputElement pool) =>
        Read(pool.Child("config_opts", Client)?.Children("option", Client), option => new ConfigOption(Given(option, "name"), Given(option, "value")));

    /// <summary>The declarations that the pool's opening tag needs.</summary>
    public static (string Name, string? Value)[] Declarations(PoolDefinition pool) =>
    [
        ("xmlns:fs", pool.MountOptions is { Count: > 0 } ? Mount : null),
        ("xmlns:rbd", pool.ConfigOptions is { Count: > 0 } ? Client : null),
    ];

    public static void Write(XmlOutput output, PoolDefinition pool)
    {
        if (pool.MountOptions is { Count: > 0 } mountOptions)
        {
            output.Open("fs:mount_opts");
            foreach (var option in mountOptions)
                output.Empty("fs:option", ("name", option));
            output.Close();
        }
        if (pool.ConfigOptions is { Count: > 0 } configOptions)
        {
            output.Open("rbd:config_opts");
            foreach (var option in configOptions)
                output.Empty("rbd:option", ("name", option.Name), ("value", option.Value));
            output.Close();
        }
    }

    private static IReadOnlyList<T>? Read<T>(IReadOnlyList<InputElement>? options, Func<InputElement, T> read) =>
        options is { Count: > 0 } ? [.. options.Select(read)] : null;

    private static string Given(InputElement option, string name) =>
        option.Attribute(name) is { Length: > 0 } value ? value : throw option.WrongAttribute(name, $"An option needs '{name}'.");
}
