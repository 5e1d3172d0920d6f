using Storage.Contracts.Images;
using Xunit;

namespace Storage.Tests.Images;

/// <summary>Which format a file has, and its capacity, row by row of libvirt's table.</summary>
public sealed class ImageHeaderTests
{
    private const long FileSize = 1L << 20;
    private const long Gigabyte = 1L << 30;
    private const string Qfi = "514649FB";

    private static readonly Row[] Rows =
    [
        new("vpc", 0, "636F6E6563746978", true, 12, [0x10000], 40, 1),
        new("vdi", 64, "7F10DABE", false, 68, [0x00010001], 368, 1),
        new("ploop", 0, "576974686F7546726553706163457874", false, null, [], 36, 512),
        new("cow", 0, "4F4F4F4D", true, 4, [2], 1036, 1),
        new("qcow", 0, Qfi, true, 4, [1], 24, 1),
        new("qcow2", 0, Qfi, true, 4, [2, 3], 24, 1),
        new("qed", 0, "51454400", false, null, [], 48, 1),
        new("vmdk", 0, "4B444D56", false, 4, [1, 2, 3], 12, 512),
    ];

    [Fact]
    public void A_format_is_known_by_its_magic_number_in_every_version_that_is_known() => Assert.All(Rows, row =>
    {
        foreach (var version in row.Versions.DefaultIfEmpty())
        {
            var image = ImageHeader.Read(row.Head(version, Gigabyte / row.Unit).Bytes, FileSize);
            Assert.Equal((row.Format, Gigabyte, null), (image.Format, image.Capacity, image.Problem));
        }
    });

    [Fact]
    public void A_magic_number_with_a_version_that_is_not_known_is_raw_with_a_problem() => Assert.All(
        Rows.Where(row => row.VersionAt is not null),
        row =>
        {
            foreach (var version in new uint[] { 0, row.Versions[^1] + (row.Magic == Qfi ? 3u : 1u), uint.MaxValue })
            {
                var image = ImageHeader.Read(row.Head(version, Gigabyte / row.Unit).Bytes, FileSize);
                Assert.Equal(("raw", FileSize), (image.Format, image.Capacity));
                Assert.Contains(row.Magic == Qfi ? "qcow" : row.Format, image.Problem, StringComparison.Ordinal);
            }
        });

    [Fact]
    public void A_magic_number_without_its_version_is_raw_with_a_problem() => Assert.All(
        Rows.Where(row => row.VersionAt is not null),
        row =>
        {
            var image = ImageHeader.Read(row.Head(row.Versions[0], 0).Bytes.AsSpan(0, row.VersionAt!.Value + 3), FileSize);
            Assert.Equal(("raw", FileSize, true), (image.Format, image.Capacity, image.Problem is not null));
        });

    [Fact]
    public void A_magic_number_that_is_cut_off_or_elsewhere_is_raw() => Assert.All(Rows, row =>
    {
        var head = row.Head(row.Versions.FirstOrDefault(), Gigabyte / row.Unit).Bytes;
        Assert.Equal(new ImageHeader("raw", FileSize), ImageHeader.Read(head.AsSpan(0, row.MagicAt + row.Magic.Length / 2 - 1), FileSize));
        Assert.Equal(new ImageHeader("raw", FileSize), ImageHeader.Read([0, .. head], FileSize));
    });

    [Fact]
    public void A_capacity_that_no_file_can_have_is_none_with_a_problem() => Assert.All(Rows, row =>
    {
        var limit = (1UL << 63) / (ulong)row.Unit;
        foreach (var units in new[] { limit, limit + 1, ulong.MaxValue })
        {
            var image = ImageHeader.Read(row.Head(row.Versions.FirstOrDefault(), units).Bytes, FileSize);
            Assert.Equal((row.Format, null), (image.Format, image.Capacity));
            Assert.Contains("size", image.Problem, StringComparison.Ordinal);
        }
        Assert.Equal(long.MaxValue - (row.Unit - 1), ImageHeader.Read(row.Head(row.Versions.FirstOrDefault(), limit - 1).Bytes, FileSize).Capacity);
    });

    [Fact]
    public void A_capacity_that_is_cut_off_is_none_with_a_problem() => Assert.All(Rows, row =>
    {
        var head = row.Head(row.Versions.FirstOrDefault(), Gigabyte / row.Unit).Bytes;
        var image = ImageHeader.Read(head.AsSpan(0, row.CapacityAt + 7), FileSize);
        Assert.Equal((row.Format, null), (image.Format, image.Capacity));
        Assert.NotNull(image.Problem);
    });

    [Fact]
    public void An_empty_file_and_text_are_raw_with_the_files_size()
    {
        Assert.Equal(new ImageHeader("raw", 0), ImageHeader.Read([], 0));
        Assert.Equal(new ImageHeader("raw", 12), ImageHeader.Read("hello, world"u8, 12));
        Assert.Equal(new ImageHeader("raw", 0), ImageHeader.Read([], -1));
    }

    [Fact]
    public void An_iso_is_known_at_the_end_of_what_is_read_and_before_any_other_format()
    {
        var head = new Head(40_000, bigEndian: true).Put(0, "OOOM").U32(4, 2).Put(32_769, "CD001");
        Assert.Equal(new ImageHeader("iso", 40_000), ImageHeader.Read(head.Bytes, 40_000));
        Assert.Equal("cow", ImageHeader.Read(head.Bytes.AsSpan(0, 32_769 + 4), 40_000).Format);
        Assert.Equal("raw", ImageHeader.Read(new Head(40_000, bigEndian: true).Put(32_768, "CD001").Bytes, 40_000).Format);
    }

    [Fact]
    public void What_lies_after_the_bytes_of_a_probe_is_not_looked_at()
    {
        var head = new Head(40_000, bigEndian: true).Put(0, [.. "QFI"u8, 0xFB]).U32(4, 1).U64(8, ImageHeader.ProbeLength - 3).U32(16, 4)
            .Put(ImageHeader.ProbeLength - 3, "base");
        Assert.Null(ImageHeader.Read(head.Bytes, 40_000).BackingFile);
        Assert.Equal("bas", ImageHeader.Read(head.U32(16, 3).Bytes, 40_000).BackingFile);
    }

    [Fact]
    public void Every_sample_is_read_without_a_problem() => Assert.All(SampleImages.All, sample =>
    {
        var image = ImageHeader.Read(sample.Head, 8 << 20);
        Assert.Null(image.Problem);
        Assert.Equal(sample.Name.StartsWith("luks", StringComparison.Ordinal) ? "raw" : sample.Name.Split(' ')[0], image.Format);
    });

    [Fact]
    public void A_luks_container_is_raw_and_encrypted_without_its_header()
    {
        var head = Luks(version: 1).U32(104, 4096).Bytes;
        Assert.Equal(new ImageHeader("raw", Gigabyte - 4096 * 512) { Encryption = "luks" }, ImageHeader.Read(head, Gigabyte));
        Assert.Equal(new ImageHeader("raw", 0) { Encryption = "luks" }, ImageHeader.Read(head, 4096 * 512));
    }

    [Fact]
    public void A_luks_container_whose_data_is_outside_the_file_or_not_said_has_no_capacity_and_a_problem()
    {
        var head = Luks(version: 1).U32(104, uint.MaxValue).Bytes;
        foreach (var image in new[] { ImageHeader.Read(head, FileSize), ImageHeader.Read(head.AsSpan(0, 107), FileSize) })
        {
            Assert.Equal(("raw", null, "luks"), (image.Format, image.Capacity, image.Encryption));
            Assert.NotNull(image.Problem);
        }
    }

    [Theory]
    [InlineData("""{"segments":{"0":{"type":"crypt","offset":"4096","iv_tweak":"0","size":"dynamic","integrity":{"type":"x"}}}}""", Gigabyte - 4096, false)]
    [InlineData("""{"keyslots":{"0":{"area":{"offset":"1"}}},"segments":{"0":{"offset":"1073741824","size":"dynamic"}},"config":{}}""", 0L, false)]
    [InlineData("""{"segments":{"0":{"offset":"1073741825","size":"dynamic"}}}""", null, true)]
    [InlineData("""{"segments":{"0":{"offset":"4096","size":"8192"}}}""", null, false)]
    [InlineData("""{"segments":{"0":{"offset":"4096","size":"dynamic"},"1":{"offset":"8192","size":"dynamic"}}}""", null, false)]
    [InlineData("""{"segments":{"0":{"offset":"-4096","size":"dynamic"}}}""", null, false)]
    [InlineData("""{"segments":{"0":{"offset":4096,"size":"dynamic"}}}""", null, false)]
    [InlineData("""{"segments":[]}""", null, false)]
    [InlineData("""{"keyslots":{}}""", null, false)]
    [InlineData("[]", null, false)]
    [InlineData("", null, true)]
    [InlineData("""{"segments":""", null, true)]
    public void A_luks_container_of_version_2_has_the_capacity_that_its_description_says(string description, long? capacity, bool problem)
    {
        var image = ImageHeader.Read(SampleImages.Luks2(description), Gigabyte);
        Assert.Equal(("raw", capacity, "luks2", problem), (image.Format, image.Capacity, image.Encryption, image.Problem is not null));
    }

    [Fact]
    public void A_luks_container_of_version_2_whose_description_is_longer_than_what_is_looked_at_has_no_known_capacity()
    {
        var image = ImageHeader.Read(new Head(33_280, bigEndian: true).Put(0, [.. "LUKS"u8, 0xBA, 0xBE, 0, 2]).U64(8, 65_536).Bytes, Gigabyte);
        Assert.Equal((null, null, "luks2"), (image.Capacity, image.Problem, image.Encryption));
    }

    [Fact]
    public void A_luks_container_of_another_version_is_raw_with_a_problem()
    {
        foreach (var bytes in new[] { Luks(version: 0).Bytes, Luks(version: 3).Bytes, Luks(version: 1).Bytes.AsSpan(0, 7).ToArray() })
        {
            var image = ImageHeader.Read(bytes, Gigabyte);
            Assert.Equal(("raw", Gigabyte, null), (image.Format, image.Capacity, image.Encryption));
            Assert.NotNull(image.Problem);
        }
    }

    private static Head Luks(byte version) => new Head(592, bigEndian: true).Put(0, [.. "LUKS"u8, 0xBA, 0xBE, 0, version]);

    /// <param name="Magic">In hexadecimal.</param>
    /// <param name="Unit">Bytes that the number at <paramref name="CapacityAt"/> counts.</param>
    private sealed record Row(string Format, int MagicAt, string Magic, bool BigEndian, int? VersionAt, uint[] Versions, int CapacityAt, long Unit)
    {
        public Head Head(uint version, long units) => Head(version, (ulong)units);

        public Head Head(uint version, ulong units)
        {
            var head = new Head(2048, BigEndian).Put(MagicAt, Convert.FromHexString(Magic)).U64(CapacityAt, units);
            if (VersionAt is { } at)
                head.U32(at, version);
            return Format == "qcow2" ? head.U32(20, 16).U32(100, 104) : head;
        }
    }
}
