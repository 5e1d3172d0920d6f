using System.Text.RegularExpressions;

namespace Storage.Contracts;

/// <summary>What a volume definition is for: how much of it must be given, and whether it must be possible to make it.</summary>
public enum VolumePurpose
{
    /// <summary>To be created: it has a capacity or a backing store, and nothing that no host can make.</summary>
    Create,

    /// <summary>To be created as a copy: as <see cref="Create"/>, but the capacity may come from the volume that is copied.</summary>
    Clone,

    /// <summary>To be read and shown, as libvirt's parser does: sizes may be absent, key, type and path stay.</summary>
    Describe,
}

/// <summary>
/// The rules of a volume definition, the same for JSON, XML and messages. They are libvirt's, with a stricter judgement of names
/// and paths.
/// </summary>
public static partial class VolumeRules
{
    /// <summary>
    /// The definition, checked and with its defaults: format, format of the backing store, compat of an image with features, and the
    /// allocation. An absent allocation is the capacity: fully allocated. One above the capacity becomes the capacity: libvirt would
    /// take it and let a raw file grow beyond its size. What only a host can say (key, type, path, physical size, timestamps,
    /// extents, problem) is left out, and so is a format where the pool's type has none. Completing a completed definition changes
    /// nothing.
    /// </summary>
    /// <exception cref="StorageException">The definition is wrong; the field is a path in the model, such as <c>backingStore.path</c>.</exception>
    public static VolumeDefinition Complete(PoolTypeInfo type, VolumeDefinition input, VolumePurpose purpose = VolumePurpose.Create)
    {
        Names.Check(input.Name, "name");
        var backing = Backing(type, input.BackingStore);
        CheckSizes(input);
        if (purpose == VolumePurpose.Create && input.Capacity is null && backing is null)
            throw PlainText.Invalid("A volume without a backing store needs a capacity.", "capacity");

        var completed = new VolumeDefinition
        {
            Name = input.Name,
            Capacity = input.Capacity,
            Allocation = Allocation(input),
            Format = Format(type, input.Format, "format"),
            Permissions = PermissionRules.Complete(input.Permissions, "permissions"),
            Encryption = EncryptionRules.Complete(input.Encryption),
            Compat = Compat(input),
            NoCow = input.NoCow,
            ClusterSize = input.ClusterSize is 0 ? null : input.ClusterSize,
            Features = Features(input.Features),
            BackingStore = backing,
        };
        if (purpose == VolumePurpose.Describe)
            return completed with { Key = input.Key, Type = input.Type, Path = input.Path };
        ImageRules.CheckCreatable(type, completed);
        return completed;
    }

    /// <summary>The rules of a volume's name, for whoever has only the name.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckName(string? name, string field) => Names.Check(name, field);

    private static void CheckSizes(VolumeDefinition input)
    {
        CheckSize(input.Capacity, "capacity");
        CheckSize(input.Allocation, "allocation");
        CheckSize(input.ClusterSize, "clusterSize");
    }

    private static void CheckSize(long? bytes, string field)
    {
        if (bytes < 0)
            throw PlainText.Invalid("A size is not negative.", field);
    }

    private static long? Allocation(VolumeDefinition input) =>
        input is { Capacity: { } capacity, Allocation: { } allocation } ? Math.Min(allocation, capacity) : input.Allocation ?? input.Capacity;

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

    private static string? Compat(VolumeDefinition input)
    {
        var compat = PlainText.Optional(input.Compat, "compat") ?? (input.Features is null ? null : ImageRules.FeaturesCompat);
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

    /// <summary>
    /// A backing file by absolute path, or relative to the volume's directory. Never a URI or another form in which qemu would see a
    /// protocol, and never a <c>..</c>.
    /// </summary>
    private static BackingStore? Backing(PoolTypeInfo type, BackingStore? input)
    {
        const string field = "backingStore.path";
        if (string.IsNullOrEmpty(input?.Path))
            return null;
        Paths.CheckInside(input.Path, field);
        if (input.Path[0] == '-' || input.Path.Split('/')[0].Contains(':', StringComparison.Ordinal))
            throw PlainText.Invalid($"'{input.Path}' is not a path.", field);
        return new BackingStore(
            input.Path,
            Format(type, input.Format, "backingStore.format"),
            PermissionRules.Complete(input.Permissions, "backingStore.permissions"));
    }

    [GeneratedRegex(@"\A[0-9]{1,9}\.[0-9]{1,9}\z")]
    private static partial Regex CompatLevel();
}
