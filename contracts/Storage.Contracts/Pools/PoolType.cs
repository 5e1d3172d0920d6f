using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>The kinds of pool, in libvirt's order. The JSON and XML name of each is libvirt's.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PoolType>))]
public enum PoolType
{
    [JsonStringEnumMemberName("dir")] Dir,
    [JsonStringEnumMemberName("fs")] Fs,
    [JsonStringEnumMemberName("netfs")] Netfs,
    [JsonStringEnumMemberName("logical")] Logical,
    [JsonStringEnumMemberName("disk")] Disk,
    [JsonStringEnumMemberName("iscsi")] Iscsi,
    [JsonStringEnumMemberName("iscsi-direct")] IscsiDirect,
    [JsonStringEnumMemberName("scsi")] Scsi,
    [JsonStringEnumMemberName("mpath")] Mpath,
    [JsonStringEnumMemberName("rbd")] Rbd,
    [JsonStringEnumMemberName("sheepdog")] Sheepdog,
    [JsonStringEnumMemberName("gluster")] Gluster,
    [JsonStringEnumMemberName("zfs")] Zfs,
    [JsonStringEnumMemberName("vstorage")] Vstorage,
}

/// <summary>The worker service that serves a pool type.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PoolFamily>))]
public enum PoolFamily
{
    [JsonStringEnumMemberName("file")] File,
    [JsonStringEnumMemberName("block")] Block,
    [JsonStringEnumMemberName("scsi")] Scsi,
    [JsonStringEnumMemberName("network")] Network,
    [JsonStringEnumMemberName("zfs")] Zfs,
}

/// <summary>Who can reach a pool: only the host that has it, or any replica of the family's worker.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PoolScope>))]
public enum PoolScope
{
    [JsonStringEnumMemberName("host")] Host,
    [JsonStringEnumMemberName("cluster")] Cluster,
}

/// <summary>What was last seen of a pool. The states are libvirt's (virStoragePoolState).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PoolState>))]
public enum PoolState
{
    [JsonStringEnumMemberName("inactive")] Inactive,
    [JsonStringEnumMemberName("building")] Building,
    [JsonStringEnumMemberName("running")] Running,
    [JsonStringEnumMemberName("degraded")] Degraded,
    [JsonStringEnumMemberName("inaccessible")] Inaccessible,
}
