using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>When a thin pool is so full that somebody has to know.</summary>
public static class ThinPoolThresholds
{
    private static readonly int[] Percents = [100, 95, 90, 80];

    /// <summary>The highest threshold that data or metadata have come to since; null where there is none.</summary>
    /// <param name="before">Null where it was not known.</param>
    public static int? Passed(VolumeDefinition? before, VolumeDefinition now)
    {
        if (now.Layout is not { Kind: LayoutKind.ThinPool } filled)
            return null;
        var (was, isNow) = (Fullest(before?.Layout), Fullest(filled));
        return Percents.Where(percent => was < percent && isNow >= percent).Select(percent => (int?)percent).FirstOrDefault();
    }

    private static double Fullest(VolumeLayout? layout) => Math.Max(layout?.DataPercent ?? 0, layout?.MetadataPercent ?? 0);
}
