using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Storage.Contracts;

/// <summary>What a volume definition is for: how much of it must be given, and whether it must be possible to make it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VolumePurpose>))]
public enum VolumePurpose
{
    /// <summary>To be created: it has a capacity or a backing store, and nothing that no host can make.</summary>
    [JsonStringEnumMemberName("create")] Create,

    /// <summary>To be created as a copy: as <see cref="Create"/>, but format and capacity may come from the volume that is copied.</summary>
    [JsonStringEnumMemberName("clone")] Clone,

    /// <summary>To be read and shown, as libvirt's parser does: it has a capacity or a backing store; key, type and path stay.</summary>
    [JsonStringEnumMemberName("describe")] Describe,
}

/// <summary>
/// The rules of a volume definition, the same for JSON, XML and messages. They are libvirt's, with a stricter judgement of names
/// and paths.
/// </summary>
public static partial class VolumeRules
{
    /// <summary>
    /// The definition, checked and with its defaults, for a host: as <see cref="Check(PoolTypeInfo, VolumeDefinition, VolumePurpose)"/>,
    /// without what only a host can say (key, type, path), and the allocation at most the capacity: libvirt would take more and let a raw
    /// file grow beyond its size. Completing a completed definition changes nothing.
    /// </summary>
    /// <exception cref="StorageException">The definition is wrong; the field is a path in the model, such as <c>backingStore.path</c>.</exception>
    public static VolumeDefinition Complete(PoolTypeInfo type, VolumeDefinition input, VolumePurpose purpose = VolumePurpose.Create)
    {
        var volume = Check(type, input, purpose);
        return purpose == VolumePurpose.Describe
            ? volume
            : WithPreallocation(volume with { Key = null, Type = null, Path = null, Allocation = Allocation(volume) });
    }

    /// <summary>The allocation that a preallocation means where the volume is its own blocks. Doing it again changes nothing.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.UnsupportedConfiguration"/> where its format, if it has one, is not preallocated so.</exception>
    public static VolumeDefinition WithPreallocation(VolumeDefinition volume)
    {
        if (volume.Format is not null)
            ImageRules.CheckPreallocation(volume);
        return volume switch
        {
            { Format: "raw", Preallocation: Contracts.Preallocation.None } => volume with { Allocation = 0 },
            { Format: "raw", Preallocation: not null } => volume with { Allocation = volume.Capacity },
            _ => volume,
        };
    }

    /// <summary>
    /// The definition, checked and with its defaults: format, format of the backing store, compat of an image with features, and the
    /// allocation. An absent allocation is the capacity: fully allocated. What is only seen (physical size, timestamps, extents, problem)
    /// is left out, and so is a format where the pool's type has none.
    /// </summary>
    /// <exception cref="StorageException">The definition is wrong; the field is a path in the model, such as <c>backingStore.path</c>.</exception>
    public static VolumeDefinition Check(PoolTypeInfo type, VolumeDefinition input, VolumePurpose purpose) =>
        Check(type, (IVolumeParts)input, purpose);

    internal static VolumeDefinition Check(PoolTypeInfo type, IVolumeParts input, VolumePurpose purpose)
    {
        var volume = Read(type, input, purpose);
        if (purpose != VolumePurpose.Describe)
            ImageRules.CheckCreatable(type, volume);
        return volume;
    }

    /// <summary>The rules of a volume's name, for whoever has only the name.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckName(string? name, string field) => Names.Check(name, field);

    /// <summary>The rules of a list of volumes that are there: from 1 to a limit, each a name, and each once.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidArgument"/>, or as <see cref="CheckName"/>; with the field.</exception>
    public static void CheckNames(IReadOnlyList<string>? names, int limit, string field)
    {
        if (names is not { Count: > 0 } || names.Count > limit)
            throw new StorageException(ErrorCodes.InvalidArgument, $"From 1 to {limit} volumes can be named at once, not {names?.Count ?? 0}.", field);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            CheckName(names[i], $"{field}[{i}]");
            if (!seen.Add(names[i]))
                throw new StorageException(ErrorCodes.InvalidArgument, $"Volume '{names[i]}' stands twice in the list.", $"{field}[{i}]");
        }
    }

    /// <summary>Judges the parts in the order in which libvirt's parser does.</summary>
    private static VolumeDefinition Read(PoolTypeInfo type, IVolumeParts input, VolumePurpose purpose)
    {
        var isClone = purpose == VolumePurpose.Clone;
        var name = input.Name;
        if (!string.IsNullOrEmpty(name) || purpose == VolumePurpose.Describe || !type.Has(PoolTraits.GivenVolumeNames))
            Names.Check(name, "name");
        if (type.Has(PoolTraits.LogicalNames))
            LogicalNames.CheckVolume(name!, "name");
        var key = input.Key;
        var kind = input.Type;
        var backing = Backing(type, input.BackingStore);
        var capacity = Size(input.Capacity, "capacity");
        if (!isClone && capacity is null && backing is null)
            throw PlainText.Invalid("A volume without a backing store needs a capacity.", "capacity");
        var volume = new VolumeDefinition
        {
            Name = name ?? "",
            Key = key,
            Type = kind,
            Capacity = capacity,
            Allocation = Size(input.Allocation, "allocation") ?? capacity,
            Preallocation = KnownPreallocation(input.Preallocation),
            Path = input.Path,
            Format = isClone && string.IsNullOrEmpty(input.Format) ? null : Format(type, input.Format, "format"),
            Permissions = PermissionRules.Complete(input.Permissions, "permissions"),
            Encryption = EncryptionRules.Complete(input.Encryption),
            Compat = Compat(input.Compat),
            NoCow = input.NoCow,
            ClusterSize = Size(input.ClusterSize, "clusterSize") is > 0 and var size ? size : null,
            Features = Features(input.Features),
            BackingStore = backing,
        };
        volume = volume with { Layout = LayoutRules.Complete(type, volume, input.Layout) };
        return volume is { Features: not null, Compat: null } ? volume with { Compat = ImageRules.FeaturesCompat } : volume;
    }

    private static Preallocation? KnownPreallocation(Preallocation? input) => input is null || Enum.IsDefined(input.Value)
        ? input
        : throw new StorageException(ErrorCodes.UnsupportedConfiguration, "Unknown preallocation.", "preallocation");

    private static long? Size(long? bytes, string field) =>
        bytes < 0 ? throw PlainText.Invalid("A size is not negative.", field) : bytes;

    private static long? Allocation(VolumeDefinition volume) =>
        volume is { Capacity: { } capacity, Allocation: { } allocation } ? Math.Min(allocation, capacity) : volume.Allocation;

    private static string? Format(PoolTypeInfo type, string? input, string field)
    {
        if (type.VolumeFormats.Count == 0)
            return null;
        var format = PlainText.Optional(input, field) ?? type.DefaultVolumeFormat;
        return type.VolumeFormats.Contains(format)
            ? format
            : throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, $"A {type.Name} pool has no volume format '{format}'.", field);
    }

    private static string? Compat(string? input)
    {
        var compat = PlainText.Optional(input, "compat");
        return compat is null || CompatLevel().IsMatch(compat)
            ? compat
            : throw PlainText.Invalid($"'{compat}' is not a level such as 1.1.", "compat");
    }

    /// <summary>Without repetition and in libvirt's order.</summary>
    private static string[]? Features(IReadOnlyList<string>? input)
    {
        if (input is null)
            return null;
        for (var i = 0; i < input.Count; i++)
        {
            if (!ImageRules.Features.Contains(input[i]))
                throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"Unknown feature '{input[i]}'.", $"features[{i}]");
        }
        return [.. ImageRules.Features.Where(input.Contains)];
    }

    private static BackingStore? Backing(PoolTypeInfo type, BackingStore? input)
    {
        if (string.IsNullOrEmpty(input?.Path))
            return null;
        PlainText.Check(input.Path, "backingStore.path", Paths.MaxBytes);
        return new BackingStore(
            input.Path,
            Format(type, input.Format, "backingStore.format"),
            PermissionRules.Complete(input.Permissions, "backingStore.permissions"));
    }

    [GeneratedRegex(@"\A[0-9]{1,9}\.[0-9]{1,9}\z")]
    private static partial Regex CompatLevel();
}
