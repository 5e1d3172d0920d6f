using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>
/// A pool as it is asked for: libvirt's <c>&lt;pool&gt;</c> document, as one flat model for all types.
/// Which parts a type needs says its row in <see cref="PoolTypes"/>. Observed figures are not part of it.
/// </summary>
public sealed record PoolDefinition : IPoolParts
{
    public required PoolType Type { get; init; }

    /// <summary>Unique per host. May be left out where the type takes it from the source name.</summary>
    public string? Name { get; init; }

    /// <summary>Generated when absent.</summary>
    public Guid? Uuid { get; init; }

    /// <summary>Copy-on-write wanted (<c>features/cow</c>, dir and fs); absent leaves it to the file system.</summary>
    public bool? CopyOnWrite { get; init; }

    public PoolSource Source { get; init; } = new();

    public PoolTarget Target { get; init; } = new();

    /// <summary>How a refresh computes a volume's allocation (<c>refresh/volume/@allocation</c>, rbd).</summary>
    public RefreshAllocation? RefreshAllocation { get; init; }

    /// <summary>Extra mount options (namespace fs; fs and netfs).</summary>
    public IReadOnlyList<string>? MountOptions { get; init; }

    /// <summary>Extra client options (namespace rbd).</summary>
    public IReadOnlyList<ConfigOption>? ConfigOptions { get; init; }

    ISourceParts IPoolParts.Source => Source;
}

/// <summary>Where the storage comes from. Every part is optional here; <see cref="PoolTypes"/> says which a type requires.</summary>
public sealed record PoolSource : ISourceParts
{
    public string? Name { get; init; }
    public IReadOnlyList<SourceHost> Hosts { get; init; } = [];
    public IReadOnlyList<SourceDevice> Devices { get; init; } = [];

    /// <summary>Exported directory, share or sub-directory.</summary>
    public string? Dir { get; init; }

    public SourceAdapter? Adapter { get; init; }

    /// <summary>The initiator's IQN (iscsi, iscsi-direct).</summary>
    public string? Initiator { get; init; }

    public string? Format { get; init; }
    public SourceAuth? Auth { get; init; }

    /// <summary>Protocol version (netfs over NFS), printed as <c>protocol/@ver</c>.</summary>
    public string? ProtocolVersion { get; init; }

    public string? Vendor { get; init; }
    public string? Product { get; init; }
}

/// <param name="Name">A host name or an IP address; an IPv6 address with or without brackets.</param>
/// <param name="Port">The port; -1 and absent leave it to the protocol.</param>
public sealed record SourceHost(string Name, int? Port = null)
{
    internal const int NoPort = -1;

    internal static string WithoutBrackets(string name) => name is ['[', .. var bare, ']'] ? bare : name;
}

/// <param name="Path">Device path or bare device name, or the name of an iSCSI target.</param>
/// <param name="PartSeparator">Whether partition names carry a <c>p</c> (disk).</param>
/// <param name="FreeExtents">Observed free extents (disk); ignored on input.</param>
public sealed record SourceDevice(string Path, bool? PartSeparator = null, IReadOnlyList<FreeExtent>? FreeExtents = null);

/// <summary>A free range of a device, in bytes; <paramref name="End"/> is exclusive.</summary>
public sealed record FreeExtent(long Start, long End);

[JsonConverter(typeof(JsonStringEnumConverter<AdapterKind>))]
public enum AdapterKind
{
    [JsonStringEnumMemberName("scsi_host")] ScsiHost,
    [JsonStringEnumMemberName("fc_host")] FcHost,
}

public sealed record SourceAdapter(
    AdapterKind Type,
    string? Name = null,
    ParentAddress? ParentAddress = null,
    string? Parent = null,
    string? ParentWwnn = null,
    string? ParentWwpn = null,
    string? ParentFabricWwn = null,
    bool? Managed = null,
    string? Wwnn = null,
    string? Wwpn = null);

/// <summary>PCI address of a SCSI host; <paramref name="UniqueId"/> tells the hosts of one card apart.</summary>
public sealed record ParentAddress(int Domain, int Bus, int Slot, int Function, int? UniqueId = null);

[JsonConverter(typeof(JsonStringEnumConverter<AuthKind>))]
public enum AuthKind
{
    [JsonStringEnumMemberName("chap")] Chap,
    [JsonStringEnumMemberName("ceph")] Ceph,

    /// <summary>A user of a CIFS server; libvirt has none.</summary>
    [JsonStringEnumMemberName("cifs")] Cifs,
}

/// <param name="Username">As the server knows it; with <see cref="AuthKind.Cifs"/> it may be <c>DOMAIN\user</c>.</param>
public sealed record SourceAuth(AuthKind Type, string Username, SecretReference Secret);

/// <summary>A secret by reference, never by value: exactly one of <paramref name="Uuid"/> and <paramref name="Usage"/>.</summary>
public sealed record SecretReference(Guid? Uuid = null, string? Usage = null, string? Type = null);

public sealed record PoolTarget
{
    /// <summary>Absolute path under which the volumes appear.</summary>
    public string? Path { get; init; }

    public Permissions? Permissions { get; init; }
}

/// <summary>Mode (octal, bits 0777), numeric owner and group (0 to 2^32-2), security label; an absent part is left as it is.</summary>
public sealed record Permissions(
    [property: JsonConverter(typeof(OctalModeJsonConverter))] int? Mode = null,
    long? Owner = null,
    long? Group = null,
    string? Label = null);

[JsonConverter(typeof(JsonStringEnumConverter<RefreshAllocation>))]
public enum RefreshAllocation
{
    [JsonStringEnumMemberName("default")] Default,
    [JsonStringEnumMemberName("capacity")] Capacity,
}

public sealed record ConfigOption(string Name, string Value);
