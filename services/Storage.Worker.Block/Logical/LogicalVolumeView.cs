using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>A logical volume as a volume of its pool.</summary>
public static class LogicalVolumeView
{
    /// <summary>On a volume that is being filled: nobody is told of it.</summary>
    public const string IncompleteTag = "storage_incomplete";

    private const string OperationTag = "storage_";

    /// <summary>On every volume: which operation made it.</summary>
    public static string TagOf(Guid operation) => $"{OperationTag}{operation:N}";

    /// <summary>The operation that made a volume; null where none did.</summary>
    public static Guid? OperationOf(LogicalVolume volume) => volume.Tags
        .Where(tag => tag.StartsWith(OperationTag, StringComparison.Ordinal))
        .Select(tag => Guid.TryParseExact(tag[OperationTag.Length..], "N", out var id) ? (Guid?)id : null)
        .FirstOrDefault(id => id is not null);

    public static bool IsIncomplete(LogicalVolume volume) => volume.Tags.Contains(IncompleteTag);

    public static string PathOf(PoolDefinition pool, string volume) => $"{pool.Target.Path}/{volume}";

    /// <summary>The key is LVM's UUID, as libvirt's.</summary>
    public static VolumeDefinition Of(PoolDefinition pool, VolumeGroup group, LogicalVolume volume)
    {
        var path = volume.IsThinPool ? null : PathOf(pool, volume.Name);
        var seen = path is not null && volume.IsActive
            ? BlockVolume.Read(volume.Name, path)
            : new VolumeDefinition { Name = volume.Name, Path = path, Type = VolumeKind.Block };
        return seen with
        {
            Key = volume.Uuid,
            Capacity = volume.Capacity,
            Allocation = volume.IsThin ? (long)(volume.Size * (volume.DataPercent ?? 0) / 100) : volume.Size,
            Physical = volume.Capacity,
            BackingStore = volume.Origin is { } origin ? new BackingStore(PathOf(pool, origin)) : null,
            Layout = LayoutOf(volume),
            Extents = [.. ExtentsOf(group, volume)],
            Problem = ProblemOf(volume) ?? seen.Problem,
        };
    }

    private static VolumeLayout LayoutOf(LogicalVolume volume)
    {
        var kind = KindOf(volume);
        var segment = volume.Segments.Count > 0 ? volume.Segments[0] : null;
        var spread = kind is LayoutKind.Striped or LayoutKind.Raid0 or LayoutKind.Raid4 or LayoutKind.Raid5 or LayoutKind.Raid6 or LayoutKind.Raid10;
        return new VolumeLayout(
            kind,
            // What lvs counts are all the images.
            spread ? segment?.Stripes - Parity(kind) : null,
            spread && segment is { StripeSize: > 0 } ? segment.StripeSize : null,
            kind is LayoutKind.Mirror or LayoutKind.Raid1 ? segment?.Areas.Count - 1 : null,
            volume.ThinPool,
            volume.DataPercent,
            volume.MetadataPercent);
    }

    private static int Parity(LayoutKind kind) => kind switch
    {
        LayoutKind.Raid4 or LayoutKind.Raid5 => 1,
        LayoutKind.Raid6 => 2,
        _ => 0,
    };

    private static LayoutKind KindOf(LogicalVolume volume) => volume switch
    {
        { IsThinPool: true } => LayoutKind.ThinPool,
        { Origin: not null } => LayoutKind.Snapshot,
        { IsThin: true } => LayoutKind.Thin,
        _ when volume.Layout.Contains("raid0") => LayoutKind.Raid0,
        _ when volume.Layout.Contains("raid1") => LayoutKind.Raid1,
        _ when volume.Layout.Contains("raid4") => LayoutKind.Raid4,
        _ when volume.Layout.Contains("raid5") => LayoutKind.Raid5,
        _ when volume.Layout.Contains("raid6") => LayoutKind.Raid6,
        _ when volume.Layout.Contains("raid10") => LayoutKind.Raid10,
        _ when volume.Layout.Contains("mirror") => LayoutKind.Mirror,
        _ when volume.Layout.Contains("striped") => LayoutKind.Striped,
        _ when volume.Layout.Contains("linear") => LayoutKind.Linear,
        _ => LayoutKind.Other,
    };

    /// <summary>Where the content lies, down to the devices; of a thin volume nobody knows.</summary>
    private static IEnumerable<SourceExtent> ExtentsOf(VolumeGroup group, LogicalVolume volume)
    {
        foreach (var segment in volume.Segments)
        {
            foreach (var area in segment.Areas)
            {
                if (area.On.StartsWith('/'))
                {
                    var (start, size) = (area.Extent * group.ExtentSize, segment.Type is "striped" ? segment.Size / Math.Max(1, segment.Stripes) : segment.Size);
                    yield return new SourceExtent(area.On, start, start + size);
                }
                else if (group.Volumes.FirstOrDefault(hidden => hidden.Name == $"[{area.On}]") is { } hidden)
                {
                    foreach (var extent in ExtentsOf(group, hidden))
                        yield return extent;
                }
            }
        }
    }

    private static string? ProblemOf(LogicalVolume volume) => volume switch
    {
        { IsFailed: true, IsThinPool: true } => "It has no room left, or has failed.",
        { IsFailed: true, IsThickSnapshot: true } => "Its store was full: what the snapshot held is lost.",
        { IsFailed: true } => "It has failed.",
        { IsPartial: true, IsActive: true } => "A part of it is on a device that is missing.",
        { IsPartial: true } => "It is not active: a part of it is on a device that is missing.",
        { IsActive: false, IsThinPool: false } => "It is not active.",
        _ => null,
    };
}
