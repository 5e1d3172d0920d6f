using System.Numerics;
using static Storage.Contracts.LayoutKind;

namespace Storage.Contracts;

/// <summary>What can be asked of a volume's layout. Source of fact: lvcreate(8), lvmraid(7), lvmthin(7).</summary>
internal static class LayoutRules
{
    private const int MaxStripes = 128;
    private const int MaxMirrors = 9;
    private const long MinStripeSize = 4096;
    private const long MaxStripeSize = 1L << 30;

    /// <summary>
    /// The layout with its kind and defaults; null where the pool's type has none. What is only seen is left out. Completing a completed one
    /// changes nothing.
    /// </summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.UnsupportedConfiguration"/> or <see cref="ErrorCodes.InvalidDefinition"/>, with the field.</exception>
    public static VolumeLayout? Complete(PoolTypeInfo type, VolumeDefinition volume, VolumeLayout? input)
    {
        if (!type.Has(PoolTraits.Layouts))
            return input is null ? null : throw Unsupported($"A volume of a {type.Name} pool has no layout.", "layout");
        if (input?.Kind is { } given && (!Enum.IsDefined(given) || given is Other))
            throw Unsupported("Unknown kind of layout.", "layout.kind");
        var kind = input?.Kind ?? KindOf(volume, input);
        CheckBacking(volume, kind);
        return new VolumeLayout(
            kind,
            Count(input?.Stripes, kind is Striped or Raid0 or Raid4 or Raid5 or Raid6 or Raid10, 2, kind is Raid4 or Raid5 or Raid6 or Raid10 ? 2 : 1, MaxStripes, kind, "stripes"),
            StripeSize(input?.StripeSize, kind),
            Count(input?.Mirrors, kind is Mirror or Raid1 or Raid10, 1, 1, MaxMirrors, kind, "mirrors"),
            ThinPool(input?.ThinPool, kind));
    }

    private static LayoutKind KindOf(VolumeDefinition volume, VolumeLayout? input) => volume switch
    {
        { BackingStore: not null } => Snapshot,
        _ when input?.ThinPool is not null => Thin,
        { Capacity: { } capacity, Allocation: { } allocation } when allocation < capacity => Thin,
        _ when input?.Stripes is not null => Striped,
        _ when input?.Mirrors is not null => Raid1,
        _ => Linear,
    };

    private static void CheckBacking(VolumeDefinition volume, LayoutKind kind)
    {
        if (kind is Snapshot != volume.BackingStore is not null)
            throw kind is Snapshot
                ? PlainText.Invalid("A snapshot has a backing store: the volume that it is of.", "backingStore")
                : Unsupported("Only a snapshot has a backing store.", "layout.kind");
    }

    private static int? Count(int? input, bool has, int usual, int least, int most, LayoutKind kind, string field)
    {
        if (!has)
            return input is null ? null : throw Unsupported($"A volume of kind {kind} has no {field}.", $"layout.{field}");
        return (input ?? usual) is var count && count >= least && count <= most
            ? count
            : throw PlainText.Invalid($"From {least} to {most}, not {count}.", $"layout.{field}");
    }

    private static long? StripeSize(long? input, LayoutKind kind)
    {
        const string field = "layout.stripeSize";
        if (input is not { } size)
            return null;
        if (kind is not (Striped or Raid0 or Raid4 or Raid5 or Raid6 or Raid10))
            throw Unsupported($"A volume of kind {kind} has no stripes.", field);
        return size is >= MinStripeSize and <= MaxStripeSize && BitOperations.IsPow2(size)
            ? size
            : throw PlainText.Invalid($"A stripe size is a power of two from {MinStripeSize} to {MaxStripeSize}.", field);
    }

    private static string? ThinPool(string? input, LayoutKind kind)
    {
        const string field = "layout.thinPool";
        if (string.IsNullOrEmpty(input))
            return null;
        if (kind is not (Thin or Snapshot))
            throw Unsupported($"A volume of kind {kind} is in no thin pool.", field);
        LogicalNames.CheckVolume(input, field);
        return input;
    }

    private static StorageException Unsupported(string message, string field) => new(ErrorCodes.UnsupportedConfiguration, message, field);
}
