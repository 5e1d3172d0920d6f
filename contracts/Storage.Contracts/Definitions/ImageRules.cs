using System.Numerics;

namespace Storage.Contracts;

/// <summary>What can be made of a volume's format, backing store, features and encryption together.</summary>
internal static class ImageRules
{
    /// <summary>The level that an image with features has when it names none.</summary>
    public const string FeaturesCompat = "1.1";

    /// <summary>The features known, in libvirt's order.</summary>
    public static readonly IReadOnlyList<string> Features = ["lazy_refcounts", "extended_l2", DataFile];

    private const string DataFile = "data_file";
    private const string OldCompat = "0.10";
    private const string Qcow2 = "qcow2";
    private const long MinClusterSize = 512;
    private const long MaxClusterSize = 2 << 20;

    private static readonly string[] EncryptableFormats = ["raw", Qcow2];

    /// <summary>Refuses what libvirt refuses when it makes the volume, before a host is asked.</summary>
    /// <exception cref="StorageException">Mostly <see cref="ErrorCodes.UnsupportedConfiguration"/>, with the field.</exception>
    public static void CheckCreatable(PoolTypeInfo type, VolumeDefinition volume)
    {
        // A copy without a format gets one on its host, which judges then.
        CheckQcow2Options(volume, mayBeQcow2: volume.Format == Qcow2 || volume.Format is null && type.VolumeFormats.Contains(Qcow2));
        if (volume.BackingStore is not null && volume.Format == "raw")
            throw Unsupported("A raw volume has no backing store.", "backingStore");
        if (volume.Format is not null || !type.VolumeFormats.Contains(Qcow2))
            CheckPreallocation(volume);
        CheckBackingPath(volume.BackingStore?.Path);
        if (volume.Encryption is { } encryption)
            CheckEncryption(type, volume, encryption);
    }

    /// <exception cref="StorageException">As <see cref="CheckCreatable"/>.</exception>
    public static void CheckPreallocation(VolumeDefinition volume)
    {
        const string field = "preallocation";
        if (volume.Preallocation is not { } preallocation)
            return;
        if (volume.Format is not ("raw" or Qcow2))
            throw Unsupported("Only raw and qcow2 volumes are preallocated.", field);
        if (volume.Format == "raw" && preallocation == Preallocation.Metadata)
            throw Unsupported("A raw volume has no metadata to preallocate.", field);
        if (volume.BackingStore is not null && preallocation != Preallocation.None)
            throw Unsupported("A volume with a backing store is not preallocated.", field);
    }

    private static void CheckQcow2Options(VolumeDefinition volume, bool mayBeQcow2)
    {
        if (!mayBeQcow2)
        {
            var field = volume switch
            {
                { Features: not null } => "features",
                { Compat: not null } => "compat",
                { ClusterSize: not null } => "clusterSize",
                _ => null,
            };
            if (field is not null)
                throw Unsupported($"Only a qcow2 volume has {field}.", field);
            return;
        }
        if (volume.Compat is not (null or OldCompat or FeaturesCompat))
            throw Unsupported($"qcow2 has no level '{volume.Compat}'.", "compat");
        if (volume.Features is { Count: > 0 } && volume.Compat == OldCompat)
            throw Unsupported("Features need compat 1.1.", "features");
        if (volume.Features?.Contains(DataFile) == true)
            throw Unsupported("A volume with an external data file cannot be created.", "features");
        if (volume.ClusterSize is { } size && (size is < MinClusterSize or > MaxClusterSize || !BitOperations.IsPow2(size)))
            throw PlainText.Invalid("A cluster size is a power of two from 512 bytes to 2 MiB.", "clusterSize");
    }

    /// <summary>
    /// A backing file by absolute path, or relative to the volume's directory. Never a URI or another form in which qemu would see a
    /// protocol, and never a <c>..</c>.
    /// </summary>
    private static void CheckBackingPath(string? path)
    {
        const string field = "backingStore.path";
        if (path is null)
            return;
        Paths.CheckInside(path, field);
        if (path[0] == '-' || path.Split('/')[0].Contains(':', StringComparison.Ordinal))
            throw PlainText.Invalid($"'{path}' is not a path.", field);
    }

    private static void CheckEncryption(PoolTypeInfo type, VolumeDefinition volume, VolumeEncryption encryption)
    {
        // qemu neither makes nor reads LUKS 2: it is for files that are not its images.
        var isLuks2 = encryption.Format == EncryptionRules.Luks2 && type.VolumeFormats.Contains(Qcow2) && volume.Format is (null or "raw");
        if (encryption.Format != EncryptionRules.Luks && !isLuks2)
            throw Unsupported($"A volume with '{encryption.Format}' encryption cannot be created.", "encryption.format");
        if (type.VolumeFormats.Contains(Qcow2) && volume.Format is not null && !EncryptableFormats.Contains(volume.Format))
            throw Unsupported($"A {volume.Format} volume cannot be encrypted.", "encryption");
        if (encryption.Secrets is not { Count: 1 })
            throw PlainText.Invalid("An encrypted volume is created with exactly one secret.", "encryption.secrets");
    }

    private static StorageException Unsupported(string message, string field) =>
        new(ErrorCodes.UnsupportedConfiguration, message, field);
}
