using System.Text.Json.Serialization;

namespace Storage.Contracts;

// The commands: what a client asks for, by HTTP or by message. A pool is named by uuid, or by name (with the host where a
// name is on several hosts). CommandId is the client's idempotency key and becomes the operation's id; absent, one is made.

/// <summary>Any command. Same id and same content is the same operation; same id and other content is refused.</summary>
public interface ICommand
{
    Guid? CommandId { get; }
}

/// <summary>A command on a known pool, or in one.</summary>
public interface IPoolCommand : ICommand
{
    /// <summary>Its uuid, or its name.</summary>
    string Pool { get; }

    /// <summary>Needed only where a name is on several hosts.</summary>
    string? Host { get; }
}

/// <summary>A command on a known volume.</summary>
public interface IVolumeCommand : IPoolCommand
{
    /// <summary>Its name.</summary>
    string Volume { get; }
}

/// <summary>
/// Keeps a pool's definition. An active pool goes on with the old one until it is stopped.
/// <paramref name="Transient"/>: also starts it, and forgets it when it stops.
/// </summary>
/// <param name="Host">The host that has it; may be absent where only one host is known, or for cluster types.</param>
/// <param name="ExpectedVersion">Refused unless the known definition has this version; 0 is "not there yet".</param>
public sealed record DefinePool(
    Guid? CommandId, PoolDefinition Definition, string? Host = null, bool Transient = false, int? ExpectedVersion = null) : ICommand;

/// <summary>Makes the storage of an inactive pool (directory, file system, volume group …). Over existing data only when told.</summary>
public sealed record BuildPool(Guid? CommandId, string Pool, string? Host = null, bool Overwrite = false) : IPoolCommand;

/// <summary>Makes a pool usable and lists it. Starting a pool that runs is refused, as in libvirt.</summary>
public sealed record StartPool(Guid? CommandId, string Pool, string? Host = null) : IPoolCommand;

/// <summary>Ends the use of a pool. Its data stays.</summary>
public sealed record StopPool(Guid? CommandId, string Pool, string? Host = null) : IPoolCommand;

/// <summary>Looks at an active pool and its volumes again.</summary>
public sealed record RefreshPool(Guid? CommandId, string Pool, string? Host = null) : IPoolCommand;

/// <summary>Removes the storage of an inactive pool; refused while it holds data.</summary>
public sealed record DeletePool(Guid? CommandId, string Pool, string? Host = null) : IPoolCommand;

/// <summary>Forgets an inactive pool. Its data stays.</summary>
public sealed record UndefinePool(Guid? CommandId, string Pool, string? Host = null) : IPoolCommand;

/// <summary>Whether the pool is started whenever its worker comes up.</summary>
public sealed record SetPoolAutostart(Guid? CommandId, string Pool, bool Autostart, string? Host = null) : IPoolCommand;

/// <summary>Looks for storage that a pool of this type could use. The result is in the operation and in <see cref="PoolSourcesFound"/>.</summary>
/// <param name="Source">Where to look, for the types that need it (a server's name).</param>
public sealed record FindPoolSources(Guid? CommandId, PoolType Type, string? Host = null, PoolSource? Source = null) : ICommand;

/// <summary>
/// Makes a volume in an active pool. A failure leaves nothing behind. Without a name, where the pool gives names (disk), the operation has the pool
/// for itself, and the name is in its result as <c>{"volume": …}</c>.
/// </summary>
public sealed record CreateVolume(Guid? CommandId, string Pool, VolumeDefinition Volume, string? Host = null) : IPoolCommand;

/// <summary>Up to <see cref="Limit"/> volumes in one operation, each with its name. All of them, or none: a failure removes those already made.</summary>
public sealed record CreateVolumes(Guid? CommandId, string Pool, IReadOnlyList<VolumeDefinition> Volumes, string? Host = null) : IPoolCommand
{
    public const int Limit = 1000;
}

/// <summary>Makes a volume with the content of another. Its name may be left out as that of <see cref="CreateVolume"/>.</summary>
/// <param name="Volume">The new volume's definition, in <paramref name="Pool"/>.</param>
/// <param name="SourceVolume">The volume to copy.</param>
/// <param name="SourcePool">Its pool, on the same host; absent is the same pool.</param>
/// <param name="Reflink">Share the blocks; refused where the file system cannot.</param>
/// <param name="SourceSecret">The passphrase of an encrypted source, and of every encrypted image behind it; absent is the secret whose usage is its path, where it is encrypted itself. LUKS 2 needs none.</param>
public sealed record CloneVolume(
    Guid? CommandId, string Pool, VolumeDefinition Volume, string SourceVolume, string? SourcePool = null, bool Reflink = false, string? Host = null,
    SecretReference? SourceSecret = null) : IPoolCommand;

/// <summary>Changes a volume's capacity.</summary>
/// <param name="Capacity">The new capacity in bytes, or the difference where <paramref name="Delta"/>.</param>
/// <param name="Shrink">Must be said for a smaller capacity.</param>
/// <param name="Allocate">Allocate the grown part.</param>
/// <param name="Secret">The passphrase of an encrypted volume, and of every encrypted image behind it; absent is the secret whose usage is its path, where it is encrypted itself. LUKS 2 needs none.</param>
/// <param name="Force">
/// Make it smaller also while it is in use (see <see cref="DeleteVolume"/>), and a device also where it holds what nobody can tell the length of, such
/// as a partition table or LUKS. Within a file system it is never cut off.
/// </param>
public sealed record ResizeVolume(
    Guid? CommandId, string Pool, string Volume,
    [property: JsonConverter(typeof(ByteSizeJsonConverter))] long? Capacity,
    bool Delta = false, bool Shrink = false, bool Allocate = false, string? Host = null, SecretReference? Secret = null,
    bool Force = false) : IVolumeCommand;

/// <summary>Overwrites a volume's content; the volume stays. Refused while it is in use.</summary>
/// <param name="Force">Also while it is in use: see <see cref="DeleteVolume"/>.</param>
public sealed record WipeVolume(
    Guid? CommandId, string Pool, string Volume, WipeAlgorithm Algorithm = WipeAlgorithm.Zero, string? Host = null, bool Force = false) : IVolumeCommand;

/// <summary>
/// Gives a volume back the content that it had when a snapshot of it was made, with what was written to the snapshot since; the snapshot is gone
/// afterwards. Refused while one of them is in use. A merge that has begun is not cancelled: it ends.
/// </summary>
/// <param name="Volume">The volume that the snapshot is of.</param>
/// <param name="Snapshot">The snapshot: a volume of the same pool whose backing store is <paramref name="Volume"/>.</param>
public sealed record MergeVolume(Guid? CommandId, string Pool, string Volume, string Snapshot, string? Host = null) : IVolumeCommand;

/// <summary>Removes a volume and its content. Refused while it is in use.</summary>
/// <param name="Force">
/// Also while another volume has it as its backing store, a process of the host has it open, or a loop device is made of it. Whoever uses
/// it then has what is left.
/// </param>
public sealed record DeleteVolume(Guid? CommandId, string Pool, string Volume, string? Host = null, bool Force = false) : IVolumeCommand;

/// <summary>
/// Removes up to <see cref="Limit"/> volumes of a pool and their content in one operation. All of them are looked at before the first is removed:
/// where one is not there, or is in use by anything but the others, none is. From then on nothing is undone: what was removed when it fails or is
/// cancelled is told by its <see cref="VolumeDeleted"/>, and the error says which volume could not be removed, and how many were.
/// </summary>
/// <param name="Volumes">Their names, each once, in any order: a volume goes after those of them that are made of it.</param>
/// <param name="Force">As in <see cref="DeleteVolume"/>, for all of them.</param>
public sealed record DeleteVolumes(Guid? CommandId, string Pool, IReadOnlyList<string> Volumes, string? Host = null, bool Force = false) : IPoolCommand
{
    public const int Limit = CreateVolumes.Limit;
}

/// <summary>Looks at one volume again.</summary>
public sealed record RefreshVolume(Guid? CommandId, string Pool, string Volume, string? Host = null) : IVolumeCommand;

/// <summary>Ends an operation early. What is queued never starts; what runs is undone, but for volumes that <see cref="DeleteVolumes"/> has removed.</summary>
public sealed record CancelOperation(Guid? CommandId, Guid OperationId) : ICommand;

/// <summary>libvirt's wipe algorithms.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WipeAlgorithm>))]
public enum WipeAlgorithm
{
    [JsonStringEnumMemberName("zero")] Zero,
    [JsonStringEnumMemberName("nnsa")] Nnsa,
    [JsonStringEnumMemberName("dod")] Dod,
    [JsonStringEnumMemberName("bsi")] Bsi,
    [JsonStringEnumMemberName("gutmann")] Gutmann,
    [JsonStringEnumMemberName("schneier")] Schneier,
    [JsonStringEnumMemberName("pfitzner7")] Pfitzner7,
    [JsonStringEnumMemberName("pfitzner33")] Pfitzner33,
    [JsonStringEnumMemberName("random")] Random,
    [JsonStringEnumMemberName("trim")] Trim,
}
