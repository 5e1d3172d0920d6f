using Storage.Contracts;
using Storage.Worker.Block;
using Xunit;

namespace Storage.Tests;

public sealed class PartitionTableTests
{
    /// <summary>As parted 3.5 prints a dos label on a loop device.</summary>
    private const string Dos = """
        {"disk": {"path": "/dev/loop1", "size": "134217728B", "model": "Loopback device", "transport": "loopback",
          "logical-sector-size": 512, "physical-sector-size": 512, "label": "msdos", "max-partitions": 4, "partitions": [
          {"number": 0, "start": "1024B", "end": "1048575B", "size": "1047552B", "type": "free"},
          {"number": 1, "start": "1048576B", "end": "22020095B", "size": "20971520B", "type": "primary"},
          {"number": 2, "start": "22020096B", "end": "99614719B", "size": "77594624B", "type": "extended", "flags": ["lba"]},
          {"number": 0, "start": "22021120B", "end": "24023039B", "size": "2001920B", "type": "free"},
          {"number": 5, "start": "24117248B", "end": "34117631B", "size": "10000384B", "type": "logical", "filesystem": "linux-swap(v1)", "flags": ["swap"]},
          {"number": 0, "start": "34117632B", "end": "99614719B", "size": "65497088B", "type": "free"},
          {"number": 0, "start": "99614720B", "end": "134217727B", "size": "34603008B", "type": "free"}]}}
        """;

    [Fact]
    public void A_table_is_read_with_its_kinds_and_what_is_free()
    {
        var table = PartitionTable.Parse(Dos)!;
        Assert.Equal(("dos", 134217728, 512, 4), (table.Label, table.Size, table.SectorSize, table.Limit));
        Assert.Equal(
            [(1, PartitionKind.Primary, 22020096L), (2, PartitionKind.Extended, 99614720L), (5, PartitionKind.Logical, 34117632L)],
            table.Partitions.Select(partition => (partition.Number, partition.Kind, partition.End)));
        Assert.Equal([false, true, true, false], table.Free.Select(table.IsForLogical));
        Assert.Equal(["none", "extended", "linux-swap"], table.Partitions.Select(PartitionType.Of));
    }

    [Theory]
    [InlineData("json-gpt", "gpt")]
    [InlineData("json-msdos", "dos")]
    [InlineData("json-nothing", null)]
    public void What_every_recorded_parted_prints_is_read(string name, string? label) => Assert.All(Recording.Of("parted", name), said =>
    {
        var table = said.Output.Length == 0 ? null : PartitionTable.Parse(said.Output);
        Assert.Equal(label, table?.Label);
        Assert.True(table is null || table is { Partitions.Count: > 0, Free.Count: > 0, Size: 16 << 20 });
    });

    [Theory]
    [InlineData("""{"disk": {"path": "/dev/loop1", "size": "67108864B", "logical-sector-size": 512, "label": "unknown"}}""")]
    [InlineData("""{"disk": {"path": "/dev/loop1", "size": "67108864B", "logical-sector-size": 512, "label": "loop", "max-partitions": 1, "partitions": []}}""")]
    public void A_device_without_a_table_has_none(string json) => Assert.Null(PartitionTable.Parse(json));

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"disk": {"label": "gpt"}}""")]
    [InlineData("""{"disk": {"label": "gpt", "size": "64MB", "logical-sector-size": 512, "max-partitions": 128}}""")]
    [InlineData("""{"disk": {"label": "gpt", "size": "9223372036854775808B", "logical-sector-size": 512, "max-partitions": 128}}""")]
    public void What_is_no_table_is_a_failure_of_the_tool(string json) =>
        Assert.Equal(ErrorCodes.ToolFailed, Assert.Throws<StorageException>(() => PartitionTable.Parse(json)).Error.Code);

    [Fact]
    public void The_smallest_extent_that_is_large_enough_when_aligned_is_taken()
    {
        var table = PartitionTable.Parse(Dos)!;
        Assert.Equal(new PartitionPlace(PartitionKind.Primary, 3, 99614720, 99614720 + 1024), PartitionPlace.Find(table, 1000, extended: false, 1 << 20));
        // In front of a logical one is a sector with its own table: aligned, the small extent has 904 KiB.
        var full = table with { Partitions = [.. table.Partitions, At(3), At(4)] };
        Assert.Equal(new PartitionPlace(PartitionKind.Logical, 6, 23068672, 23068672 + (800 << 10)), PartitionPlace.Find(full, 800 << 10, extended: false, 1 << 20));
        Assert.Equal(34603008, PartitionPlace.Find(full, 1 << 20, extended: false, 1 << 20).Start);
    }

    [Theory]
    [InlineData(1L << 30, false, ErrorCodes.NoSpace)]
    [InlineData(1L << 20, true, ErrorCodes.UnsupportedConfiguration)]
    public void What_does_not_fit_has_no_place(long size, bool extended, string code) => Assert.Equal(
        code, Assert.Throws<StorageException>(() => PartitionPlace.Find(PartitionTable.Parse(Dos)!, size, extended, 1 << 20)).Error.Code);

    [Fact]
    public void A_dos_label_ends_at_two_to_the_32nd_sector()
    {
        const long Most = (1L << 32) * 512;
        var table = new PartitionTable("dos", Most * 2, 512, 4, [], [new FreeExtent(1 << 20, Most * 2)]);
        Assert.Equal(ErrorCodes.NoSpace, Assert.Throws<StorageException>(() => PartitionPlace.Find(table, Most, extended: false, 1 << 20)).Error.Code);
        Assert.Equal(Most, PartitionPlace.Find(table, Most - (1 << 20), extended: false, 1 << 20).End);
        Assert.Equal(Most + (1 << 20), PartitionPlace.Find(table with { Label = "gpt", Limit = 128 }, Most, extended: false, 1 << 20).End);
    }

    [Theory]
    [InlineData("parted (GNU parted) 3.5\nCopyright", "3.5")]
    [InlineData("parted (GNU parted) 3.6", "3.6")]
    [InlineData("parted (GNU parted) 3.4.64-dirty", "3.4.64")]
    [InlineData("something else", null)]
    public void Versions_are_read(string printed, string? version) => Assert.Equal(version, Parted.Parse(printed)?.ToString());

    [Theory]
    [InlineData("sda", "sda1")]
    [InlineData("nvme0n1", "nvme0n1p1")]
    [InlineData("mmcblk0", "mmcblk0p1")]
    public void Partitions_have_the_kernels_names(string disk, string name) => Assert.Equal(name, PartitionNode.NameOf(disk, 1));

    private static Partition At(int number) => new(number, PartitionKind.Primary, 0, 1, null, []);
}
