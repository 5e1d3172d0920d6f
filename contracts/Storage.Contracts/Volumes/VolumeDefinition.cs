using System.Text.Json.Serialization;

namespace Storage.Contracts;

/// <summary>
/// libvirt's <c>&lt;volume&gt;</c> document: what is asked for at creation and, with the observed parts filled,
/// what a host reported. Sizes are bytes; JSON input may use libvirt's units.
/// </summary>
public sealed record VolumeDefinition : IVolumeParts
{
    /// <summary>May be left out, which is empty, at the creation of a single volume where the pool gives its volumes their names (disk).</summary>
    public string Name { get; init; } = "";

    /// <summary>Identity within the pool type, given by the backend (for files the path).</summary>
    public string? Key { get; init; }

    /// <summary>Given by the backend; ignored on input.</summary>
    public VolumeKind? Type { get; init; }

    /// <summary>Size that a guest sees. May be absent at creation only with a backing store.</summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long? Capacity { get; init; }

    /// <summary>Bytes taken from the pool. Absent at creation means the capacity: fully allocated.</summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long? Allocation { get; init; }

    /// <summary>Bytes of the container file or device; observed.</summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long? Physical { get; init; }

    /// <summary>
    /// What of a new raw or qcow2 volume gets its place at once; it goes before <see cref="Allocation"/>. Asked for, never observed, no part
    /// of the XML (libvirt has a flag of its call for <see cref="Contracts.Preallocation.Metadata"/>).
    /// </summary>
    public Preallocation? Preallocation { get; init; }

    /// <summary>Where the volume is found on the host; given by the backend.</summary>
    public string? Path { get; init; }

    /// <summary>One of the volume formats of the pool's row in <see cref="PoolTypes"/>; absent is the type's default.</summary>
    public string? Format { get; init; }

    public Permissions? Permissions { get; init; }

    /// <summary>Observed.</summary>
    public Timestamps? Timestamps { get; init; }

    public VolumeEncryption? Encryption { get; init; }

    /// <summary>qcow2 compatibility level, <c>0.10</c> or <c>1.1</c>.</summary>
    public string? Compat { get; init; }

    /// <summary>Do not copy on write (btrfs).</summary>
    public bool NoCow { get; init; }

    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long? ClusterSize { get; init; }

    /// <summary>qcow2 features: <c>lazy_refcounts</c>, <c>extended_l2</c>, <c>data_file</c>; null is no element at all.</summary>
    public IReadOnlyList<string>? Features { get; init; }

    public BackingStore? BackingStore { get; init; }

    /// <summary>How it lies on the devices of its volume group (logical pools). No part of the XML.</summary>
    public VolumeLayout? Layout { get; init; }

    /// <summary>Extents on the pool's devices; observed.</summary>
    public IReadOnlyList<SourceExtent>? Extents { get; init; }

    /// <summary>What is wrong with the volume as it was seen (unreadable, malformed); observed, not part of the XML.</summary>
    public string? Problem { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<VolumeKind>))]
public enum VolumeKind
{
    [JsonStringEnumMemberName("file")] File,
    [JsonStringEnumMemberName("block")] Block,
    [JsonStringEnumMemberName("dir")] Dir,
    [JsonStringEnumMemberName("network")] Network,
    [JsonStringEnumMemberName("netdir")] Netdir,
    [JsonStringEnumMemberName("ploop")] Ploop,
}

/// <summary>What of a new volume gets its place at once.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Preallocation>))]
public enum Preallocation
{
    /// <summary>Nothing: it grows as it is written to.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>The tables of a qcow2 image.</summary>
    [JsonStringEnumMemberName("metadata")] Metadata,

    /// <summary>Blocks for all of its capacity, without writing them.</summary>
    [JsonStringEnumMemberName("falloc")] Falloc,

    /// <summary>Blocks for all of its capacity, written with zeros.</summary>
    [JsonStringEnumMemberName("full")] Full,
}

/// <param name="Path">The backing file or device; relative paths are relative to the volume's directory. It lies in the directory of a pool of the host, or where the host's worker allows it.</param>
/// <param name="Format">Its format; absent at creation is raw. It is never probed from a guest's image.</param>
public sealed record BackingStore(string Path, string? Format = null, Permissions? Permissions = null);

public sealed record SourceExtent(string Device, long Start, long End);

public sealed record Timestamps(
    DateTimeOffset? Access = null,
    DateTimeOffset? Modified = null,
    DateTimeOffset? Changed = null,
    DateTimeOffset? Birth = null);

/// <param name="Format">default, qcow, luks, luks2 or luks-any.</param>
/// <param name="Engine">qemu or librbd.</param>
public sealed record VolumeEncryption(
    string Format,
    string? Engine = null,
    IReadOnlyList<SecretReference>? Secrets = null,
    EncryptionCipher? Cipher = null,
    EncryptionIvgen? Ivgen = null);

public sealed record EncryptionCipher(string Name, int Size, string? Mode = null, string? Hash = null);

public sealed record EncryptionIvgen(string Name, string? Hash = null);
