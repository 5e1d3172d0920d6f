using System.Globalization;
using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker.Block;

public enum PartitionKind
{
    Primary,
    Extended,
    Logical,
}

/// <param name="Number">As the kernel counts it, from 1.</param>
/// <param name="Start">In bytes.</param>
/// <param name="End">In bytes, exclusive.</param>
/// <param name="FileSystem">As parted recognises it; null where it does not.</param>
/// <param name="Flags">As parted has them: <c>lvm</c>, <c>raid</c>, <c>swap</c>.</param>
public sealed record Partition(int Number, PartitionKind Kind, long Start, long End, string? FileSystem, IReadOnlyList<string> Flags)
{
    public long Size => End - Start;
}

/// <summary>A partition table as <c>parted --json</c> prints it in bytes, with what is free (parted 3.5 and later).</summary>
/// <param name="Label">As the formats of a pool's source name it: <c>dos</c> and not <c>msdos</c>.</param>
/// <param name="Size">Of the device, in bytes.</param>
/// <param name="SectorSize">In bytes.</param>
/// <param name="Limit">How many partitions the label has; logical ones apart.</param>
/// <param name="Free">In the order of the disk.</param>
public sealed record PartitionTable(
    string Label, long Size, int SectorSize, int Limit, IReadOnlyList<Partition> Partitions, IReadOnlyList<FreeExtent> Free)
{
    public Partition? Extended => Partitions.FirstOrDefault(partition => partition.Kind is PartitionKind.Extended);

    public IEnumerable<Partition> Logical => Partitions.Where(partition => partition.Kind is PartitionKind.Logical);

    /// <summary>Whether a free extent is within the extended partition, where only logical ones can be.</summary>
    public bool IsForLogical(FreeExtent free) => Extended is { } extended && free.Start >= extended.Start && free.End <= extended.End;

    /// <returns>Null where the device has no partition table: none, or a file system on the whole of it.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.ToolFailed"/>: it is not what parted prints.</exception>
    public static PartitionTable? Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var disk = document.RootElement.GetProperty("disk");
            var label = disk.GetProperty("label").GetString()!;
            if (label is "unknown" or "loop")
                return null;
            var entries = disk.TryGetProperty("partitions", out var list) ? list.EnumerateArray().ToList() : [];
            return new PartitionTable(
                label == "msdos" ? "dos" : label,
                Bytes(disk.GetProperty("size")),
                disk.GetProperty("logical-sector-size").GetInt32(),
                disk.GetProperty("max-partitions").GetInt32(),
                [.. entries.Where(entry => Type(entry) != "free").Select(Read)],
                [.. entries.Where(entry => Type(entry) == "free").Select(entry => new FreeExtent(Bytes(entry.GetProperty("start")), Bytes(entry.GetProperty("end")) + 1))]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or OverflowException)
        {
            throw new StorageException(new StorageError(ErrorCodes.ToolFailed, $"{Parted.Tool} printed what is no partition table: {e.Message}", Tool: Parted.Tool));
        }
    }

    private static Partition Read(JsonElement entry) => new(
        entry.GetProperty("number").GetInt32(),
        Type(entry) switch
        {
            "extended" => PartitionKind.Extended,
            "logical" => PartitionKind.Logical,
            _ => PartitionKind.Primary,
        },
        Bytes(entry.GetProperty("start")),
        checked(Bytes(entry.GetProperty("end")) + 1),
        entry.TryGetProperty("filesystem", out var fileSystem) ? fileSystem.GetString() : null,
        entry.TryGetProperty("flags", out var flags) ? [.. flags.EnumerateArray().Select(flag => flag.GetString()!)] : []);

    private static string? Type(JsonElement entry) => entry.GetProperty("type").GetString();

    private static long Bytes(JsonElement value) => value.GetString() is [.. var digits, 'B']
        ? long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture)
        : throw new FormatException($"'{value}' is no number of bytes.");
}
