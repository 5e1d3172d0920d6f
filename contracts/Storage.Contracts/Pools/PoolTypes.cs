using static Storage.Contracts.SourceParts;
using Can = Storage.Contracts.PoolOperations;
using Same = Storage.Contracts.SourceIdentity;
using Trait = Storage.Contracts.PoolTraits;

namespace Storage.Contracts;

/// <summary>Parts of a <see cref="PoolSource"/> that tell one type from another.</summary>
[Flags]
public enum SourceParts
{
    None = 0,
    Name = 1,
    Hosts = 2,
    Devices = 4,
    Dir = 8,
    Adapter = 16,
    Initiator = 32,
    Format = 64,
}

/// <summary>
/// What makes two pools' storage the same. Pools whose types have the same identity conflict when every part of it is equal;
/// types with different identities never do.
/// </summary>
[Flags]
public enum SourceIdentity
{
    /// <summary>Never the same.</summary>
    None = 0,
    TargetPath = 1,
    Name = 2,
    Dir = 4,

    /// <summary>The host, where one of the two pools has exactly one.</summary>
    Host = 8,

    /// <summary>Any device that both have.</summary>
    Device = 16,
    Initiator = 32,
    Adapter = 64,

    /// <summary>A host has one such pool.</summary>
    Type = 128,
}

/// <summary>Small differences between types that a definition shows.</summary>
[Flags]
public enum PoolTraits
{
    None = 0,

    /// <summary>Copy-on-write can be asked for.</summary>
    CopyOnWrite = 1,

    /// <summary>Takes mount options.</summary>
    MountOptions = 2,

    /// <summary>Takes client options.</summary>
    ConfigOptions = 4,

    /// <summary>The source's devices are iSCSI names, not paths.</summary>
    IscsiDevices = 8,

    /// <summary>The source name may be a path of several parts (a ZFS dataset).</summary>
    NestedSourceName = 16,

    /// <summary>The source dir is an absolute path; absent it is <c>/</c>.</summary>
    RootedDir = 32,

    /// <summary>libvirt's capabilities name no volume format but the default.</summary>
    UnlistedVolumeFormats = 64,

    /// <summary>Its volumes can be asked for in a <see cref="VolumeLayout"/>.</summary>
    Layouts = 128,

    /// <summary>Source and volumes have names as LVM allows them.</summary>
    LogicalNames = 256,

    /// <summary>The pool gives its volumes their names: a new one has the next, and need not be given it.</summary>
    GivenVolumeNames = 512,
}

/// <summary>What can be done to a pool of a type beyond define, undefine, start, stop and refresh, which all types have.</summary>
[Flags]
public enum PoolOperations
{
    None = 0,
    FindSources = 1 << 0,
    Build = 1 << 1,
    Delete = 1 << 2,
    CreateVolume = 1 << 3,
    CloneVolume = 1 << 4,
    DeleteVolume = 1 << 5,
    ResizeVolume = 1 << 6,
    WipeVolume = 1 << 7,
    MergeVolume = 1 << 8,
}

/// <summary>One pool type: what libvirt calls it, who serves it, what it needs and what it can do.</summary>
/// <param name="Type">The type.</param>
/// <param name="Name">libvirt's name, used in XML and JSON.</param>
/// <param name="Family">The worker service that serves it.</param>
/// <param name="Scope">Host-bound, or reachable by any replica of the worker.</param>
/// <param name="RequiredSource">Parts of the source that a definition must have.</param>
/// <param name="TargetPath">How the target path comes about.</param>
/// <param name="NameFromSource">The pool's name may come from the source name, and the source name from the pool's.</param>
/// <param name="SourceFormats">Formats of the source; empty where the type has none.</param>
/// <param name="DefaultSourceFormat">Taken when the definition names none.</param>
/// <param name="VolumeFormats">Formats of a volume; empty where the type has none.</param>
/// <param name="DefaultVolumeFormat">Taken when a volume names none.</param>
/// <param name="Operations">What can be done.</param>
public sealed record PoolTypeInfo(
    PoolType Type,
    string Name,
    PoolFamily Family,
    PoolScope Scope,
    SourceParts RequiredSource,
    TargetPathRule TargetPath,
    bool NameFromSource,
    IReadOnlyList<string> SourceFormats,
    string? DefaultSourceFormat,
    IReadOnlyList<string> VolumeFormats,
    string? DefaultVolumeFormat,
    PoolOperations Operations)
{
    /// <summary>Parts of the source that the type has; others are left out of a definition.</summary>
    public SourceParts Source { get; init; }

    /// <summary>When two pools would use the same storage.</summary>
    public SourceIdentity Identity { get; init; }

    public PoolTraits Traits { get; init; }

    /// <summary>What a derived target path begins with; null where it is not derived.</summary>
    public string? TargetPrefix { get; init; }

    /// <summary>Source formats with which a protocol version can be asked for; empty where a version says nothing.</summary>
    public IReadOnlyList<string> VersionedFormats { get; init; } = [];

    /// <summary>Its volumes are files in a directory of the host.</summary>
    public bool HasFiles => TargetPath is TargetPathRule.Required && VolumeFormats.Contains("raw");

    /// <summary>Its volumes are files of a server, and so on every host that has a pool of the same source.</summary>
    public bool HasFilesOfServer => HasFiles && Has(SourceParts.Hosts);

    public bool Has(SourceParts part) => (Source & part) != 0;

    public bool Has(PoolTraits trait) => (Traits & trait) != 0;
}

/// <summary>Where a pool's target path comes from.</summary>
public enum TargetPathRule
{
    /// <summary>The definition must give it.</summary>
    Required,

    /// <summary>Made from the source name; a given one is ignored.</summary>
    Derived,

    /// <summary>The type has none.</summary>
    None,
}

/// <summary>
/// The table of the 14 pool types, in libvirt's order. The only place that tells types apart: the API refuses from it,
/// a worker's backends are compared with it by a test. Facts: libvirt 11.3 <c>poolTypeInfo</c> and the backends' callbacks.
/// </summary>
public static class PoolTypes
{
    /// <summary>Formats of a volume in a file, without libvirt's <c>none</c>, which its own input refuses.</summary>
    public static IReadOnlyList<string> FileFormats { get; } =
        ["raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow", "qcow", "qcow2", "qed", "vmdk"];

    /// <summary>Formats of a file system on a device.</summary>
    public static IReadOnlyList<string> FileSystems { get; } =
        ["auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+", "xfs", "ocfs2", "vmfs"];

    private static readonly string[] PartitionTypes =
        ["none", "linux", "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended"];

    private const Can Volumes = Can.CreateVolume | Can.CloneVolume | Can.DeleteVolume | Can.ResizeVolume | Can.WipeVolume;

    public static IReadOnlyList<PoolTypeInfo> All { get; } =
    [
        new(PoolType.Dir, "dir", PoolFamily.File, PoolScope.Host, SourceParts.None, TargetPathRule.Required, false,
            [], null, FileFormats, "raw", Can.Build | Can.Delete | Volumes)
        {
            Identity = Same.TargetPath, Traits = Trait.CopyOnWrite,
        },
        new(PoolType.Fs, "fs", PoolFamily.File, PoolScope.Host, Devices, TargetPathRule.Required, false,
            FileSystems, "auto", FileFormats, "raw", Can.Build | Can.Delete | Volumes)
        {
            Source = Devices | Format, Identity = Same.Device, Traits = Trait.CopyOnWrite | Trait.MountOptions,
        },
        new(PoolType.Netfs, "netfs", PoolFamily.File, PoolScope.Host, Hosts | Dir, TargetPathRule.Required, false,
            ["auto", "nfs", "glusterfs", "cifs"], "auto", FileFormats, "raw", Can.FindSources | Can.Build | Can.Delete | Volumes)
        {
            Source = Hosts | Dir | Format, Identity = Same.Dir | Same.Host, Traits = Trait.MountOptions, VersionedFormats = ["auto", "nfs"],
        },
        new(PoolType.Logical, "logical", PoolFamily.Block, PoolScope.Host, SourceParts.None, TargetPathRule.Derived, true,
            ["unknown", "lvm2"], "lvm2", [], null, Can.FindSources | Can.Build | Can.Delete | Volumes | Can.MergeVolume)
        {
            Source = SourceParts.Name | Devices | Format, Identity = Same.Device, Traits = Trait.Layouts | Trait.LogicalNames, TargetPrefix = "/dev",
        },
        new(PoolType.Disk, "disk", PoolFamily.Block, PoolScope.Host, Devices, TargetPathRule.Required, false,
            ["unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2"], "unknown",
            PartitionTypes, "none", Can.Build | Can.Delete | Volumes)
        {
            Source = Devices | Format, Identity = Same.Device, Traits = Trait.GivenVolumeNames,
        },
        new(PoolType.Iscsi, "iscsi", PoolFamily.Scsi, PoolScope.Host, Hosts, TargetPathRule.Required, false,
            [], null, [], null, Can.FindSources | Can.WipeVolume)
        {
            Source = Hosts | Devices | Initiator, Identity = Same.Device | Same.Initiator, Traits = Trait.IscsiDevices,
        },
        new(PoolType.IscsiDirect, "iscsi-direct", PoolFamily.Scsi, PoolScope.Cluster, Hosts | Initiator, TargetPathRule.None, false,
            [], null, [], null, Can.FindSources | Can.WipeVolume)
        {
            Source = Hosts | Devices | Initiator, Traits = Trait.IscsiDevices,
        },
        new(PoolType.Scsi, "scsi", PoolFamily.Scsi, PoolScope.Host, Adapter, TargetPathRule.Required, false,
            [], null, [], null, Can.WipeVolume)
        {
            Source = Adapter, Identity = Same.Adapter,
        },
        new(PoolType.Mpath, "mpath", PoolFamily.Scsi, PoolScope.Host, SourceParts.None, TargetPathRule.Required, false,
            [], null, [], null, Can.WipeVolume)
        {
            Identity = Same.Type,
        },
        new(PoolType.Rbd, "rbd", PoolFamily.Network, PoolScope.Cluster, SourceParts.Name | Hosts, TargetPathRule.None, true,
            [], null, FileFormats, "raw", Volumes)
        {
            Source = SourceParts.Name | Hosts, Traits = Trait.ConfigOptions | Trait.UnlistedVolumeFormats,
        },
        new(PoolType.Sheepdog, "sheepdog", PoolFamily.Network, PoolScope.Cluster, Hosts, TargetPathRule.None, true,
            [], null, [], null, Can.CreateVolume | Can.DeleteVolume | Can.ResizeVolume)
        {
            Source = SourceParts.Name | Hosts, Identity = Same.Host,
        },
        new(PoolType.Gluster, "gluster", PoolFamily.Network, PoolScope.Cluster, Hosts, TargetPathRule.None, true,
            [], null, FileFormats, "raw", Can.FindSources | Can.DeleteVolume)
        {
            Source = SourceParts.Name | Hosts | Dir, Identity = Same.Name | Same.Dir | Same.Host, Traits = Trait.RootedDir,
        },
        new(PoolType.Zfs, "zfs", PoolFamily.Zfs, PoolScope.Host, SourceParts.None, TargetPathRule.Derived, true,
            [], null, [], null, Can.Build | Can.Delete | Can.CreateVolume | Can.CloneVolume | Can.DeleteVolume | Can.ResizeVolume | Can.WipeVolume)
        {
            Source = SourceParts.Name | Devices, Identity = Same.Device, Traits = Trait.NestedSourceName, TargetPrefix = "/dev/zvol",
        },
        new(PoolType.Vstorage, "vstorage", PoolFamily.Zfs, PoolScope.Host, SourceParts.None, TargetPathRule.Required, true,
            [], null, FileFormats, "raw", Can.Build | Can.Delete | Volumes)
        {
            Source = SourceParts.Name, Identity = Same.Name,
        },
    ];

    private static readonly Dictionary<string, PoolTypeInfo> ByName = All.ToDictionary(row => row.Name, StringComparer.Ordinal);

    public static PoolTypeInfo Of(PoolType type) => All[(int)type];

    /// <summary>The row of libvirt's type name, or null for an unknown name.</summary>
    public static PoolTypeInfo? Find(string name) => ByName.GetValueOrDefault(name);
}
