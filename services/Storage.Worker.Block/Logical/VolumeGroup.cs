using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Storage.Contracts;

namespace Storage.Worker.Block;

/// <summary>A volume group as <c>lvm fullreport</c> prints it in JSON and bytes, with its hidden volumes.</summary>
/// <param name="Size">In bytes.</param>
/// <param name="Free">In bytes.</param>
/// <param name="ExtentSize">In bytes.</param>
/// <param name="Missing">How many of its devices are not there.</param>
public sealed partial record VolumeGroup(
    string Name, string Uuid, long Size, long Free, long ExtentSize, int Missing, IReadOnlyList<PhysicalVolume> Devices, IReadOnlyList<LogicalVolume> Volumes)
{
    /// <summary>What is asked for, and read here.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "--configreport", "vg", "--options", "vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count",
        "--configreport", "pv", "--options", "pv_name,pv_uuid,pv_missing",
        "--configreport", "lv", "--options", "lv_name,lv_uuid,lv_attr,lv_layout,lv_role,lv_size,origin,origin_size,pool_lv,data_percent,metadata_percent,lv_active,lv_device_open,lv_merging,lv_tags",
        "--configreport", "seg", "--options", "lv_name,segtype,stripes,stripe_size,seg_start,seg_size,devices",
        "--configreport", "pvseg", "--options", "pv_name",
    ];

    /// <summary>Those that people see: without the parts of others, and with thin pools.</summary>
    public IEnumerable<LogicalVolume> Visible => Volumes.Where(volume => !volume.IsHidden && (volume.IsPublic || volume.IsThinPool));

    public LogicalVolume? Find(string name) => Visible.FirstOrDefault(volume => volume.Name == name);

    public long Round(long bytes) => checked((Math.Max(1, bytes) + ExtentSize - 1) / ExtentSize * ExtentSize);

    /// <exception cref="StorageException"><see cref="ErrorCodes.ToolFailed"/>: it is not what lvm prints.</exception>
    public static IReadOnlyList<VolumeGroup> Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            // Devices of no group are a report without one.
            return [.. document.RootElement.GetProperty("report").EnumerateArray()
                .Where(report => report.TryGetProperty("vg", out var groups) && groups.GetArrayLength() > 0).Select(Read)];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or OverflowException)
        {
            throw new StorageException(new StorageError(ErrorCodes.ToolFailed, $"{Lvm.Tool} printed what is no report: {e.Message}", Tool: Lvm.Tool));
        }
    }

    private static VolumeGroup Read(JsonElement report)
    {
        var group = report.GetProperty("vg")[0];
        var segments = Rows(report, "seg").Select(row => (Volume: Text(row, "lv_name"), Segment: ReadSegment(row))).ToLookup(row => row.Volume, row => row.Segment);
        return new VolumeGroup(
            Text(group, "vg_name"), Text(group, "vg_uuid"), Number(group, "vg_size"), Number(group, "vg_free"), Number(group, "vg_extent_size"),
            (int)Number(group, "vg_missing_pv_count"),
            [.. Rows(report, "pv").Select(row => new PhysicalVolume(Text(row, "pv_name"), Text(row, "pv_uuid"), Text(row, "pv_missing").Length > 0))],
            [.. Rows(report, "lv").Select(row => ReadVolume(row, [.. segments[Text(row, "lv_name")].OrderBy(segment => segment.Start)]))]);
    }

    private static LogicalVolume ReadVolume(JsonElement row, IReadOnlyList<LogicalSegment> segments) => new(
        Text(row, "lv_name"), Text(row, "lv_uuid"), Words(row, "lv_layout"), Words(row, "lv_role"), Number(row, "lv_size"), segments)
    {
        Origin = Optional(row, "origin")?.Trim('[', ']'),
        OriginSize = Optional(row, "origin_size") is null ? null : Number(row, "origin_size"),
        ThinPool = Optional(row, "pool_lv"),
        DataPercent = Percent(row, "data_percent"),
        MetadataPercent = Percent(row, "metadata_percent"),
        IsActive = Text(row, "lv_active").Contains("active", StringComparison.Ordinal),
        IsOpen = Text(row, "lv_device_open") == "open",
        IsMerging = Text(row, "lv_merging").Length > 0,
        IsPartial = Text(row, "lv_attr") is [_, _, _, _, _, _, _, _, 'p', ..],
        // lvs(8): the snapshot is invalid, or the thin pool is out of data or metadata, or failed.
        IsFailed = Text(row, "lv_attr") is [_, _, _, _, 'I' or 'S' or 'M', ..] or [_, _, _, _, _, _, _, _, 'D' or 'M' or 'F' or 'X', ..],
        Tags = Words(row, "lv_tags"),
    };

    private static LogicalSegment ReadSegment(JsonElement row) => new(
        Text(row, "segtype"), (int)Number(row, "stripes"), Number(row, "stripe_size"), Number(row, "seg_start"), Number(row, "seg_size"),
        [.. Area().Matches(Text(row, "devices")).Select(area => new SegmentArea(
            area.Groups[1].Value, long.Parse(area.Groups[2].Value, NumberStyles.None, CultureInfo.InvariantCulture)))]);

    private static JsonElement.ArrayEnumerator Rows(JsonElement report, string kind) => report.GetProperty(kind).EnumerateArray();

    private static string Text(JsonElement row, string column) => row.GetProperty(column).GetString() ?? "";

    private static string? Optional(JsonElement row, string column) => Text(row, column) is { Length: > 0 } text ? text : null;

    private static string[] Words(JsonElement row, string column) => Text(row, column).Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static long Number(JsonElement row, string column) => long.Parse(Text(row, column), NumberStyles.None, CultureInfo.InvariantCulture);

    private static double? Percent(JsonElement row, string column) =>
        Optional(row, column) is { } text ? double.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : null;

    // DEVICE(EXTENT), separated by commas.
    [GeneratedRegex(@"([^,]+?)\(([0-9]+)\)")]
    private static partial Regex Area();
}

/// <summary>A device of a volume group.</summary>
/// <param name="Name">Its path; where it is missing, what lvm writes instead.</param>
/// <param name="Uuid">LVM's.</param>
public sealed record PhysicalVolume(string Name, string Uuid, bool IsMissing, string Group = "");

/// <param name="Layout">As lvs(8) names it: <c>linear</c>, <c>thin</c> and <c>sparse</c>, <c>raid</c> and <c>raid1</c>.</param>
/// <param name="Size">In bytes; of a snapshot with a store of its own, that store.</param>
public sealed record LogicalVolume(
    string Name, string Uuid, IReadOnlyList<string> Layout, IReadOnlyList<string> Role, long Size, IReadOnlyList<LogicalSegment> Segments)
{
    public string? Origin { get; init; }

    /// <summary>In bytes; null where it is neither a snapshot with a store of its own nor has one.</summary>
    public long? OriginSize { get; init; }

    public string? ThinPool { get; init; }
    public double? DataPercent { get; init; }
    public double? MetadataPercent { get; init; }
    public bool IsActive { get; init; }

    /// <summary>Somebody has its device open, or it is mounted.</summary>
    public bool IsOpen { get; init; }

    public bool IsMerging { get; init; }

    /// <summary>Some of it is on devices that are missing.</summary>
    public bool IsPartial { get; init; }

    /// <summary>A snapshot whose store is full; a thin pool that is out of space or broken.</summary>
    public bool IsFailed { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>A part of another volume, or a snapshot that is being merged.</summary>
    public bool IsHidden => Name.StartsWith('[');

    public bool IsPublic => Role.Contains("public");

    public bool IsThinPool => Layout.Contains("thin") && Layout.Contains("pool");

    public bool IsThin => ThinPool is not null && Layout.Contains("thin");

    /// <summary>A snapshot with a store of its own for what changes.</summary>
    public bool IsThickSnapshot => Role.Contains("thicksnapshot");

    /// <summary>Bytes that a guest sees.</summary>
    public long Capacity => IsThickSnapshot ? OriginSize ?? Size : Size;
}

/// <param name="Start">In bytes from the beginning of its volume.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Areas">Where it lies, one for each stripe or image: on devices, or on hidden volumes.</param>
public sealed record LogicalSegment(string Type, int Stripes, long StripeSize, long Start, long Size, IReadOnlyList<SegmentArea> Areas);

/// <param name="On">A device, or a hidden volume by its name without brackets.</param>
/// <param name="Extent">The first, counted from 0.</param>
public sealed record SegmentArea(string On, long Extent);
