namespace Storage.Contracts;

/// <summary>
/// Whether two pools of one host would use the same storage: libvirt's rule, by the <see cref="PoolTypeInfo.Identity"/> of their
/// types. Both definitions are completed ones of different pools. Texts are compared, not what they lead to on the host: links and
/// other names of a server are not followed, and a Fibre Channel host is matched with a SCSI host only by its parent's number.
/// </summary>
public static class SourceConflict
{
    /// <summary>Per part of an identity: the field of the wanted definition that equals the known one's, or null.</summary>
    private static readonly (SourceIdentity Part, Func<PoolDefinition, PoolDefinition, string?> Equal)[] Parts =
    [
        (SourceIdentity.TargetPath, (wanted, known) => Field("target.path", SamePath(wanted.Target.Path, known.Target.Path))),
        (SourceIdentity.Device, SameDevice),
        (SourceIdentity.Adapter, (wanted, known) => Field("source.adapter", SameAdapter(wanted.Source.Adapter, known.Source.Adapter))),
        (SourceIdentity.Name, (wanted, known) => Field("source.name", wanted.Source.Name == known.Source.Name)),
        (SourceIdentity.Dir, (wanted, known) => Field("source.dir", wanted.Source.Dir == known.Source.Dir)),
        (SourceIdentity.Host, (wanted, known) => Field("source.hosts[0]", SameHost(wanted.Source.Hosts, known.Source.Hosts))),
        (SourceIdentity.Initiator, (wanted, known) => Field("source.initiator", wanted.Source.Initiator == known.Source.Initiator)),
        (SourceIdentity.Type, (_, _) => "type"),
    ];

    public static bool Conflicts(PoolDefinition wanted, PoolDefinition known) => FindField(wanted, known) is not null;

    /// <summary>The field of <paramref name="wanted"/> that is taken by <paramref name="known"/>; null when they do not conflict.</summary>
    public static string? FindField(PoolDefinition wanted, PoolDefinition known)
    {
        var identity = PoolTypes.Of(wanted.Type).Identity;
        if (identity != PoolTypes.Of(known.Type).Identity)
            return null;
        string? field = null;
        foreach (var (part, equal) in Parts)
        {
            if (!identity.HasFlag(part))
                continue;
            if (equal(wanted, known) is not { } same)
                return null;
            field ??= same;
        }
        return field;
    }

    private static string? Field(string field, bool same) => same ? field : null;

    private static bool SamePath(string? wanted, string? known) => wanted?.TrimStart('/') == known?.TrimStart('/');

    private static string? SameDevice(PoolDefinition wanted, PoolDefinition known)
    {
        for (var i = 0; i < wanted.Source.Devices.Count; i++)
        {
            if (known.Source.Devices.Any(device => device.Path == wanted.Source.Devices[i].Path))
                return $"source.devices[{i}].path";
        }
        return null;
    }

    private static bool SameHost(IReadOnlyList<SourceHost> wanted, IReadOnlyList<SourceHost> known) =>
        wanted is [var first, ..] && known is [var other, ..]
        && (wanted.Count == 1 || known.Count == 1)
        && string.Equals(
            SourceHost.WithoutBrackets(first.Name), SourceHost.WithoutBrackets(other.Name), StringComparison.OrdinalIgnoreCase)
        && (first.Port is null or SourceHost.NoPort || first.Port == other.Port);

    private static bool SameAdapter(SourceAdapter? wanted, SourceAdapter? known) => (wanted, known) switch
    {
        (null, _) or (_, null) => false,
        ({ Type: AdapterKind.FcHost }, { Type: AdapterKind.FcHost }) => SameWwn(wanted.Wwnn, known.Wwnn) && SameWwn(wanted.Wwpn, known.Wwpn),
        ({ ParentAddress: { } address }, { ParentAddress: { } other }) => address == other,
        _ => HostNumber(wanted) is { } number && number == HostNumber(known),
    };

    private static int? HostNumber(SourceAdapter adapter) => AdapterRules.HostNumber(adapter.Name ?? adapter.Parent);

    private static bool SameWwn(string? wanted, string? known) =>
        string.Equals(Digits(wanted), Digits(known), StringComparison.OrdinalIgnoreCase);

    private static string? Digits(string? wwn) => wwn is { Length: 18 } ? wwn[2..] : wwn;
}
