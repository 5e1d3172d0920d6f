namespace Storage.Contracts;

/// <summary>
/// The rules of a pool definition, the same for JSON, XML and messages. The order of the checks is libvirt's, so that the same
/// mistake is named first; names, paths and hosts are judged more strictly.
/// </summary>
public static class PoolRules
{
    /// <summary>
    /// The definition, checked and with its defaults: format, names from each other, target path, paths in libvirt's form.
    /// What the type has no use for is left out, as libvirt leaves it out of what it prints. The uuid stays as it is, also absent.
    /// Completing a completed definition changes nothing.
    /// </summary>
    /// <exception cref="StorageException">The definition is wrong; the field is a path in the model, such as <c>source.hosts[0].name</c>.</exception>
    public static PoolDefinition Complete(PoolDefinition input) => Complete((IPoolParts)input);

    internal static PoolDefinition Complete(IPoolParts input)
    {
        var type = TypeOf(input.Type);

        var source = SourceRules.Complete(type, input.Source);
        Require(type, SourceParts.Name, source.Name is not null, "source.name");

        var name = input.Name is { Length: > 0 } given ? given : type.NameFromSource ? source.Name : null;
        Names.Check(name, "name");
        var uuid = input.Uuid;
        if (uuid == Guid.Empty)
            throw PlainText.Invalid("A uuid of zeros names no pool.", "uuid");
        var copyOnWrite = input.CopyOnWrite;
        if (copyOnWrite is not null && !type.Has(PoolTraits.CopyOnWrite))
            throw new StorageException(ErrorCodes.Unsupported, $"A {type.Name} pool has no copy-on-write setting.", "copyOnWrite");

        Require(type, SourceParts.Hosts, source.Hosts.Count > 0, "source.hosts");
        Require(type, SourceParts.Dir, source.Dir is not null, "source.dir");
        if (type.NameFromSource)
            source = source with { Name = source.Name ?? NameAsSource(type, name!) };
        if (type.RequiredSource.HasFlag(SourceParts.Adapter))
            source = source with { Adapter = AdapterRules.Complete(source.Adapter) };
        Require(type, SourceParts.Devices, source.Devices.Count > 0, "source.devices");

        var target = Target(type, source, input);
        Require(type, SourceParts.Initiator, source.Initiator is not null, "source.initiator", ErrorCodes.UnsupportedConfiguration);
        var refresh = input.RefreshAllocation;
        if (refresh is { } allocation && !Enum.IsDefined(allocation))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "Unknown refresh allocation.", "refreshAllocation");

        return new PoolDefinition
        {
            Type = type.Type,
            Name = name,
            Uuid = uuid,
            CopyOnWrite = copyOnWrite,
            Source = source,
            Target = target,
            RefreshAllocation = refresh,
            MountOptions = type.Has(PoolTraits.MountOptions) ? Options(input.MountOptions, "mountOptions", (option, field) => MountOption(source.Format, option, field)) : null,
            ConfigOptions = type.Has(PoolTraits.ConfigOptions) ? Options(input.ConfigOptions, "configOptions", ConfigOption) : null,
        };
    }

    /// <summary>A source alone, checked and completed, as a search for sources gets it. What a pool would require may be missing.</summary>
    /// <exception cref="StorageException">The source is wrong; the field is a path in the model, such as <c>source.hosts[0].name</c>.</exception>
    public static PoolSource CompleteSource(PoolType type, PoolSource? source) => SourceRules.Complete(TypeOf(type), source ?? new PoolSource());

    /// <summary>The rules of a pool's name, for whoever has only the name.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckName(string? name, string field) => Names.Check(name, field);

    private static PoolTypeInfo TypeOf(PoolType type) =>
        Enum.IsDefined(type) ? PoolTypes.Of(type) : throw PlainText.Invalid("Unknown pool type.", "type");

    private static string NameAsSource(PoolTypeInfo type, string name)
    {
        if (type.Has(PoolTraits.LogicalNames))
            LogicalNames.CheckGroup(name, "name");
        return name;
    }

    private static void Require(
        PoolTypeInfo type, SourceParts part, bool given, string field, string code = ErrorCodes.InvalidDefinition)
    {
        if (type.RequiredSource.HasFlag(part) && !given)
            throw new StorageException(code, $"A {type.Name} pool needs {field}.", field);
    }

    private static PoolTarget Target(PoolTypeInfo type, PoolSource source, IPoolParts pool)
    {
        if (type.TargetPath == TargetPathRule.None)
            return new PoolTarget();
        var input = pool.Target;
        var path = type.TargetPrefix is { } prefix ? $"{prefix}/{source.Name}" : GivenPath(type, input.Path);
        return new PoolTarget { Path = path, Permissions = PermissionRules.Complete(input.Permissions, "target.permissions") };
    }

    private static string GivenPath(PoolTypeInfo type, string? input)
    {
        const string field = "target.path";
        if (string.IsNullOrEmpty(input))
            throw PlainText.Invalid($"A {type.Name} pool needs a target path.", field);
        var path = Paths.Sanitise(input);
        Paths.CheckAbsolute(path, field);
        return path is "/" or "//" ? throw PlainText.Invalid("The root directory cannot be a pool's target.", field) : path;
    }

    private static IReadOnlyList<T>? Options<T>(IReadOnlyList<T>? options, string field, Func<T, string, T> complete) =>
        options is { Count: > 0 } ? SourceRules.Each(options, field, complete) : null;

    private static string MountOption(string? format, string option, string field)
    {
        MountOptionRules.Check(format, option, field);
        return option;
    }

    private static ConfigOption ConfigOption(ConfigOption option, string field)
    {
        PlainText.CheckGiven(option.Name, $"{field}.name");
        PlainText.CheckGiven(option.Value, $"{field}.value");
        return option;
    }
}
