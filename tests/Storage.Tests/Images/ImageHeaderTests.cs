using System.Buffers.Binary;
using System.Text;
using Storage.Contracts.Images;
using Xunit;

namespace Storage.Tests.Images;

public sealed class ImageHeaderTests
{
    private const long Gigabyte = 1L << 30;

    [Fact]
    public void An_empty_file_and_text_are_raw_with_the_files_size()
    {
        Assert.Equal(("raw", 0L), FormatAndCapacity(ImageHeader.Read([], 0)));
        Assert.Equal(("raw", 12L), FormatAndCapacity(ImageHeader.Read("hello, world"u8, 12)));
    }

    [Fact]
    public void A_qcow2_of_version_3_shows_what_its_header_says()
    {
        var head = Qcow2(version: 3, Gigabyte, clusterBits: 17, backing: "../base.img", backingFormat: "raw", compatible: 1, incompatible: 0b1_0000);
        var image = ImageHeader.Read(head, 4096);
        Assert.Equal(("qcow2", Gigabyte), FormatAndCapacity(image));
        Assert.Equal((131072L, "1.1", "../base.img", "raw"), (image.ClusterSize, image.Compat, image.BackingFile, image.BackingFormat));
        Assert.Equal(["extended_l2", "lazy_refcounts"], image.Features!.Order());
        Assert.Null(image.Problem);
    }

    [Fact]
    public void A_qcow2_of_version_2_has_no_compat_and_no_features()
    {
        var image = ImageHeader.Read(Qcow2(version: 2, Gigabyte, clusterBits: 16), 4096);
        Assert.Equal(("qcow2", Gigabyte, null), (image.Format, image.Capacity, image.Compat));
        Assert.Empty(image.Features ?? []);
    }

    [Fact]
    public void An_extension_after_one_whose_length_is_no_multiple_of_eight_is_read()
    {
        var head = Qcow2(version: 3, Gigabyte, clusterBits: 16, backing: "b", backingFormat: "qcow2", incompatible: 0b100, dataFile: "disk.data");
        var image = ImageHeader.Read(head, 4096);
        Assert.Equal(("qcow2", "disk.data"), (image.BackingFormat, image.DataFile));
        Assert.Contains("data_file", image.Features!);
    }

    [Fact]
    public void The_backing_format_is_never_guessed()
    {
        var image = ImageHeader.Read(Qcow2(version: 3, Gigabyte, clusterBits: 16, backing: "base.qcow2"), 4096);
        Assert.Equal(("base.qcow2", null), (image.BackingFile, image.BackingFormat));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(99)]
    public void A_header_that_is_cut_off_is_a_problem_and_not_an_exception(int length)
    {
        var image = ImageHeader.Read(Qcow2(version: 3, Gigabyte, clusterBits: 16).AsSpan(0, length), length);
        Assert.NotNull(image.Problem);
    }

    [Theory]
    [InlineData("vdi", 64, new byte[] { 0x7F, 0x10, 0xDA, 0xBE }, 68, new byte[] { 1, 0, 1, 0 }, 368, false, 1)]
    [InlineData("vpc", 0, new byte[] { 0x63, 0x6F, 0x6E, 0x65, 0x63, 0x74, 0x69, 0x78 }, 12, new byte[] { 0, 1, 0, 0 }, 40, true, 1)]
    [InlineData("qed", 0, new byte[] { 0x51, 0x45, 0x44, 0 }, 4, new byte[] { 0, 0, 1, 0 }, 48, false, 1)]
    [InlineData("vmdk", 0, new byte[] { 0x4B, 0x44, 0x4D, 0x56 }, 4, new byte[] { 1, 0, 0, 0 }, 12, false, 512)]
    public void Other_formats_are_known_by_magic_and_version(
        string format, int magicAt, byte[] magic, int versionAt, byte[] version, int capacityAt, bool bigEndian, int unit)
    {
        var head = new byte[1024];
        magic.CopyTo(head, magicAt);
        version.CopyTo(head, versionAt);
        var units = Gigabyte / unit;
        if (bigEndian)
            BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(capacityAt), units);
        else
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(capacityAt), units);
        if (format == "qed")
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), 65536);
        Assert.Equal((format, Gigabyte), FormatAndCapacity(ImageHeader.Read(head, 4096)));
    }

    [Fact]
    public void A_luks_container_is_raw_and_encrypted()
    {
        var head = new byte[592];
        new byte[] { 0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0, 1 }.CopyTo(head, 0);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(104), 4096);
        var image = ImageHeader.Read(head, Gigabyte);
        Assert.Equal(("raw", "luks", Gigabyte - 4096 * 512), (image.Format, image.Encryption, image.Capacity));
    }

    [Fact]
    public void No_header_however_broken_throws_or_claims_an_impossible_size()
    {
        byte[][] seeds =
        [
            Qcow2(3, Gigabyte, 16, "../base", "qcow2", 1, 0b1_0100, "data"), Qcow2(2, Gigabyte, 9, "b"), "KDMV"u8.ToArray(), "QED\0"u8.ToArray(), "OOOM"u8.ToArray(),
            "conectix"u8.ToArray(), "WithouFreSpacExt"u8.ToArray(), [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE],
        ];
        var random = new Random(20);
        for (var round = 0; round < 200_000; round++)
        {
            var head = new byte[random.Next(1, 1200)];
            var seed = seeds[round % seeds.Length];
            seed.AsSpan(0, Math.Min(seed.Length, head.Length)).CopyTo(head);
            for (var i = random.Next(24); i > 0; i--)
                head[random.Next(head.Length)] = (byte)random.Next(256);
            var image = ImageHeader.Read(head, head.Length);
            Assert.True(image.Capacity is null or >= 0);
        }
    }

    private static (string, long?) FormatAndCapacity(ImageHeader image) => (image.Format, image.Capacity);

    /// <summary>A qcow2 header as the specification lays it out.</summary>
    private static byte[] Qcow2(
        int version, long capacity, int clusterBits, string? backing = null, string? backingFormat = null, ulong compatible = 0, ulong incompatible = 0, string? dataFile = null)
    {
        var head = new byte[1024];
        "QFI\xfb"u8[..3].CopyTo(head);
        head[3] = 0xFB;
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), version);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(20), clusterBits);
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(24), capacity);
        var at = 72;
        if (version == 3)
        {
            BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(72), incompatible);
            BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(80), compatible);
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(100), at = 104);
        }
        at = Extension(head, at, 0xE2792ACA, backingFormat);
        at = Extension(head, at, 0x44415441, dataFile);
        at += 8;
        if (backing is not null)
        {
            BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(8), at);
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(16), Encoding.UTF8.GetBytes(backing, head.AsSpan(at)));
        }
        return head;
    }

    private static int Extension(byte[] head, int at, uint magic, string? text)
    {
        if (text is null)
            return at;
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(at), magic);
        var length = Encoding.UTF8.GetBytes(text, head.AsSpan(at + 8));
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(at + 4), length);
        return at + 8 + (length + 7) / 8 * 8;
    }
}
