using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>Where a new partition goes.</summary>
/// <param name="Number">That it is going to have.</param>
/// <param name="Start">In bytes.</param>
/// <param name="End">In bytes, exclusive.</param>
public sealed record PartitionPlace(PartitionKind Kind, int Number, long Start, long End)
{
    /// <summary>What a dos label counts sectors with.</summary>
    private const long DosSectors = 1L << 32;

    private const int DosLimit = 4;

    /// <summary>
    /// The smallest free extent in which it fits, aligned: what is left over is of most use (libvirt takes the smallest one that is larger
    /// than needed, and aligns dos labels to cylinders). On a dos label it is a logical one where no primary one can be.
    /// </summary>
    /// <param name="size">Wanted bytes, more than 0; rounded up to sectors.</param>
    /// <param name="extended">An extended one is wanted, for logical ones.</param>
    /// <param name="alignment">Of the start, in bytes.</param>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.NoSpace"/>; <see cref="ErrorCodes.UnsupportedConfiguration"/>: the label has no extended ones, or one already.
    /// </exception>
    public static PartitionPlace Find(PartitionTable table, long size, bool extended, long alignment)
    {
        if (extended && table.Label != "dos")
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A {table.Label} label has no extended partitions.", "format");
        if (extended && table.Extended is not null)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "There is an extended partition already, and can be only one.", "format");
        size = checked(Align(size, table.SectorSize));
        if (FreeNumber(table) is { } number && Fit(table, size, alignment, forLogical: false) is { } place)
            return new PartitionPlace(extended ? PartitionKind.Extended : PartitionKind.Primary, number, place.Start, place.End);
        if (!extended && table.Extended is not null && Fit(table, size, alignment, forLogical: true) is { } within)
            return new PartitionPlace(PartitionKind.Logical, table.Logical.Select(logical => logical.Number).DefaultIfEmpty(DosLimit).Max() + 1, within.Start, within.End);
        throw new StorageException(ErrorCodes.NoSpace, FreeNumber(table) is null && table.Extended is null
            ? $"The {table.Label} label has all of its {table.Limit} partitions."
            : $"No free extent of the disk holds {size} bytes that begin at a multiple of {alignment}.", "capacity");
    }

    public static long Align(long bytes, long unit) => checked(bytes + unit - 1) / unit * unit;

    /// <summary>The lowest that is free; null where the label has no more.</summary>
    private static int? FreeNumber(PartitionTable table)
    {
        var limit = table.Label == "dos" ? Math.Min(DosLimit, table.Limit) : table.Limit;
        var taken = table.Partitions.Select(partition => partition.Number).ToHashSet();
        return Enumerable.Range(1, limit).Where(number => !taken.Contains(number)).Select(number => (int?)number).FirstOrDefault();
    }

    private static (long Start, long End)? Fit(PartitionTable table, long size, long alignment, bool forLogical) => table.Free
        .Where(free => table.IsForLogical(free) == forLogical)
        // In front of a logical one there is a table of its own.
        .Select(free => (Free: free, Start: Align(free.Start + (forLogical ? table.SectorSize : 0), alignment)))
        .Where(candidate => candidate.Start <= candidate.Free.End - size)
        .Where(candidate => table.Label != "dos" || candidate.Start + size <= DosSectors * table.SectorSize)
        .OrderBy(candidate => candidate.Free.End - candidate.Free.Start)
        .ThenBy(candidate => candidate.Free.Start)
        .Select(candidate => ((long, long)?)(candidate.Start, candidate.Start + size))
        .FirstOrDefault();
}
