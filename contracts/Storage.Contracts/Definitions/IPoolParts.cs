namespace Storage.Contracts;

/// <summary>
/// The parts of a pool as someone gave them, as a <see cref="PoolDefinition"/> or as a document. <see cref="PoolRules"/> asks for each
/// part once, in libvirt's order; a part whose form is wrong throws when it is asked for. So the mistake named first is the same one,
/// whether it is one of form or of sense.
/// </summary>
internal interface IPoolParts
{
    PoolType Type { get; }

    ISourceParts Source { get; }

    string? Name { get; }

    Guid? Uuid { get; }

    bool? CopyOnWrite { get; }

    PoolTarget Target { get; }

    RefreshAllocation? RefreshAllocation { get; }

    IReadOnlyList<string>? MountOptions { get; }

    IReadOnlyList<ConfigOption>? ConfigOptions { get; }
}

/// <summary>The parts of a pool's source, as <see cref="IPoolParts"/>.</summary>
internal interface ISourceParts
{
    string? Name { get; }

    string? Format { get; }

    IReadOnlyList<SourceHost> Hosts { get; }

    string? Initiator { get; }

    IReadOnlyList<SourceDevice> Devices { get; }

    string? Dir { get; }

    SourceAdapter? Adapter { get; }

    SourceAuth? Auth { get; }

    string? ProtocolVersion { get; }

    string? Vendor { get; }

    string? Product { get; }
}
