using System.Globalization;
using Storage.Contracts;
using static Storage.Contracts.LayoutKind;

namespace Storage.Worker.Block;

/// <summary>What lvcreate is told to make a volume as it was asked for. Source of fact: lvcreate(8).</summary>
public static class NewLogicalVolume
{
    private const int Sector = 512;

    /// <param name="tags">To be on it from the beginning.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/> or <see cref="ErrorCodes.VolumeNotFound"/>: what it is to be made of is not there or not
    /// fit; <see cref="ErrorCodes.NoSpace"/>.
    /// </exception>
    public static IReadOnlyList<string> Words(PoolDefinition pool, VolumeGroup group, VolumeDefinition volume, IEnumerable<string> tags)
    {
        var layout = volume.Layout ?? new VolumeLayout(Linear);
        IReadOnlyList<string> made = layout.Kind switch
        {
            Snapshot => OfSnapshot(pool, group, volume),
            LayoutKind.Thin => ["--type", "thin", "--virtualsize", Bytes(Capacity(volume)), "--thinpool", ThinPoolOf(group, layout), group.Name],
            LayoutKind.ThinPool => ["--type", "thin-pool", "--size", Fitting(group, volume), group.Name],
            // Whatever lay there before is not to be recognised.
            _ => ["--wipesignatures", "y", "--type", NameOf(layout.Kind), "--size", Fitting(group, volume), .. Spread(layout), group.Name],
        };
        // A thin snapshot is otherwise not made active (lvmthin(7)).
        return ["--yes", "--setactivationskip", "n", "--name", volume.Name, .. tags.SelectMany(tag => new[] { "--addtag", tag }), .. made];
    }

    private static string[] OfSnapshot(PoolDefinition pool, VolumeGroup group, VolumeDefinition volume)
    {
        var path = volume.BackingStore!.Path;
        var name = Path.GetDirectoryName(path) is { Length: > 0 } folder && folder != pool.Target.Path ? null : Path.GetFileName(path);
        var origin = name is null
            ? throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A snapshot is of a volume of its own pool, in {pool.Target.Path}.", "backingStore.path")
            : group.Find(name) ?? throw new StorageException(new StorageError(
                ErrorCodes.VolumeNotFound, $"There is no volume '{name}' in pool '{pool.Name}'.", "backingStore.path", Resource: name));
        if (origin.IsThinPool || origin.IsThickSnapshot || LogicalVolumeView.IsIncomplete(origin))
            throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, origin.IsThinPool ? "A thin pool has no snapshots." : "A snapshot that has a store of its own has no snapshots.", "backingStore.path");
        if (volume.Capacity is { } capacity && group.Round(capacity) != group.Round(origin.Capacity))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A snapshot has the capacity of its origin, {origin.Capacity} bytes.", "capacity");
        if (volume.Layout?.ThinPool is { } wanted && wanted != origin.ThinPool)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A snapshot is in the thin pool of its origin, {origin.ThinPool ?? "and that is in none"}.", "layout.thinPool");
        if (origin.IsThin)
            return ["--snapshot", $"{group.Name}/{origin.Name}"];
        // What holds all of the origin never overflows; the rest is lvcreate's to work out, as the store has tables of its own.
        if (volume.Allocation is not { } store || store >= origin.Capacity)
            return ["--type", "snapshot", "--extents", "100%ORIGIN", $"{group.Name}/{origin.Name}"];
        RequireRoom(group, group.Round(store), "allocation");
        return ["--type", "snapshot", "--size", Bytes(store), $"{group.Name}/{origin.Name}"];
    }

    private static string ThinPoolOf(VolumeGroup group, VolumeLayout layout)
    {
        const string field = "layout.thinPool";
        var pools = group.Visible.Where(volume => volume.IsThinPool).ToList();
        return (layout.ThinPool, pools) switch
        {
            ({ } name, _) when pools.Any(pool => pool.Name == name) => name,
            ({ } name, _) => throw new StorageException(new StorageError(ErrorCodes.VolumeNotFound, $"There is no thin pool '{name}' in volume group '{group.Name}'.", field, Resource: name)),
            (null, [var only]) => only.Name,
            (null, []) => throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, "A volume that takes its blocks as it is written to needs a thin pool: create a volume with a layout of kind thin-pool.", field),
            _ => throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"There are {pools.Count} thin pools: say which.", field),
        };
    }

    private static IEnumerable<string> Spread(VolumeLayout layout)
    {
        if (layout.Stripes is { } stripes)
        {
            yield return "--stripes";
            yield return stripes.ToString(CultureInfo.InvariantCulture);
        }
        if (layout.StripeSize is { } size)
        {
            yield return "--stripesize";
            yield return Bytes(size);
        }
        if (layout.Mirrors is { } mirrors)
        {
            yield return "--mirrors";
            yield return mirrors.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static string NameOf(LayoutKind? kind) => (kind ?? Linear).ToString().ToLowerInvariant();

    private static string Fitting(VolumeGroup group, VolumeDefinition volume)
    {
        var capacity = Capacity(volume);
        RequireRoom(group, group.Round(capacity), "capacity");
        return Bytes(capacity);
    }

    private static long Capacity(VolumeDefinition volume) => volume.Capacity is > 0 and { } bytes
        ? bytes
        : throw new StorageException(ErrorCodes.InvalidDefinition, "A logical volume has a capacity.", "capacity");

    /// <summary>The least that it takes; copies and tables come on top, and lvcreate knows of those.</summary>
    private static void RequireRoom(VolumeGroup group, long bytes, string field)
    {
        if (bytes > group.Free)
            throw new StorageException(ErrorCodes.NoSpace, $"{bytes} bytes are more than the {group.Free} that are free in volume group '{group.Name}'.", field);
    }

    /// <summary>LVM takes whole sectors; it rounds to extents by itself.</summary>
    private static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{checked(bytes + Sector - 1) / Sector * Sector}b");
}
