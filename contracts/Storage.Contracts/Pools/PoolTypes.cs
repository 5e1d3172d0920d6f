using static Storage.Contracts.SourceParts;
using Can = Storage.Contracts.PoolOperations;

namespace Storage.Contracts;

/// <summary>Parts of a <see cref="PoolSource"/> that a type cannot do without.</summary>
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
    PoolOperations Operations);

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
    private static readonly string[] FileFormats =
        ["raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow", "qcow", "qcow2", "qed", "vmdk"];

    private static readonly string[] PartitionTypes =
        ["none", "linux", "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended"];

    private const Can Volumes = Can.CreateVolume | Can.CloneVolume | Can.DeleteVolume | Can.ResizeVolume | Can.WipeVolume;

    public static IReadOnlyList<PoolTypeInfo> All { get; } =
    [
        new(PoolType.Dir, "dir", PoolFamily.File, PoolScope.Host, SourceParts.None, TargetPathRule.Required, false,
            [], null, FileFormats, "raw", Can.Build | Can.Delete | Volumes),
        new(PoolType.Fs, "fs", PoolFamily.File, PoolScope.Host, Devices, TargetPathRule.Required, false,
            ["auto", "ext2", "ext3", "ext4", "ufs", "iso9660", "udf", "gfs", "gfs2", "vfat", "hfs+", "xfs", "ocfs2", "vmfs"], "auto",
            FileFormats, "raw", Can.Build | Can.Delete | Volumes),
        new(PoolType.Netfs, "netfs", PoolFamily.File, PoolScope.Host, Hosts | Dir, TargetPathRule.Required, false,
            ["auto", "nfs", "glusterfs", "cifs"], "auto", FileFormats, "raw", Can.FindSources | Can.Build | Can.Delete | Volumes),
        new(PoolType.Logical, "logical", PoolFamily.Block, PoolScope.Host, SourceParts.None, TargetPathRule.Derived, true,
            ["unknown", "lvm2"], "lvm2", [], null, Can.FindSources | Can.Build | Can.Delete | Volumes),
        new(PoolType.Disk, "disk", PoolFamily.Block, PoolScope.Host, Devices, TargetPathRule.Required, false,
            ["unknown", "dos", "dvh", "gpt", "mac", "bsd", "pc98", "sun", "lvm2"], "unknown",
            PartitionTypes, "none", Can.Build | Can.Delete | Volumes),
        new(PoolType.Iscsi, "iscsi", PoolFamily.Scsi, PoolScope.Host, Hosts, TargetPathRule.Required, false,
            [], null, [], null, Can.FindSources | Can.WipeVolume),
        new(PoolType.IscsiDirect, "iscsi-direct", PoolFamily.Scsi, PoolScope.Cluster, Hosts | Initiator, TargetPathRule.None, false,
            [], null, [], null, Can.FindSources | Can.WipeVolume),
        new(PoolType.Scsi, "scsi", PoolFamily.Scsi, PoolScope.Host, Adapter, TargetPathRule.Required, false,
            [], null, [], null, Can.WipeVolume),
        new(PoolType.Mpath, "mpath", PoolFamily.Scsi, PoolScope.Host, SourceParts.None, TargetPathRule.Required, false,
            [], null, [], null, Can.WipeVolume),
        new(PoolType.Rbd, "rbd", PoolFamily.Network, PoolScope.Cluster, SourceParts.Name | Hosts, TargetPathRule.None, true,
            [], null, FileFormats, "raw", Volumes),
        new(PoolType.Sheepdog, "sheepdog", PoolFamily.Network, PoolScope.Cluster, Hosts, TargetPathRule.None, true,
            [], null, [], null, Can.CreateVolume | Can.DeleteVolume | Can.ResizeVolume),
        new(PoolType.Gluster, "gluster", PoolFamily.Network, PoolScope.Cluster, Hosts, TargetPathRule.None, true,
            [], null, FileFormats, "raw", Can.FindSources | Can.DeleteVolume),
        new(PoolType.Zfs, "zfs", PoolFamily.Zfs, PoolScope.Host, SourceParts.None, TargetPathRule.Derived, true,
            [], null, [], null, Can.Build | Can.Delete | Can.CreateVolume | Can.CloneVolume | Can.DeleteVolume | Can.ResizeVolume | Can.WipeVolume),
        new(PoolType.Vstorage, "vstorage", PoolFamily.Zfs, PoolScope.Host, SourceParts.None, TargetPathRule.Required, true,
            [], null, FileFormats, "raw", Can.Build | Can.Delete | Volumes),
    ];

    private static readonly Dictionary<string, PoolTypeInfo> ByName = All.ToDictionary(row => row.Name, StringComparer.Ordinal);

    public static PoolTypeInfo Of(PoolType type) => All[(int)type];

    /// <summary>The row of libvirt's type name, or null for an unknown name.</summary>
    public static PoolTypeInfo? Find(string name) => ByName.GetValueOrDefault(name);
}
