using System.Text;
using Storage.Contracts.Images;
using Xunit;

namespace Storage.Tests.Images;

/// <summary>The backing file as a header names it: shown as it is, or left out with a problem.</summary>
public sealed class BackingFileTests
{
    public static TheoryData<string> Formats => ["qcow", "qcow2", "qed", "cow", "vmdk"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_name_is_shown_exactly_as_it_is(string format)
    {
        foreach (var name in new[] { "b", "../base.img", "/srv/ä ö.img", "json:{'file':'x'}", "nbd://host/export", new string('n', 1023) })
        {
            var image = Read(format, Encoding.UTF8.GetBytes(name));
            Assert.Equal((format, name, null), (image.Format, image.BackingFile, image.Problem));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_name_that_is_no_text_is_left_out_with_a_problem(string format)
    {
        foreach (var name in new byte[][] { [0xFF, 0xFE], [(byte)'a', (byte)'\n'], [0x7F], [0xC2, 0x85], [0xEF, 0xBF, 0xBE], [0xED, 0xA0, 0x80] })
        {
            var image = Read(format, name);
            Assert.Equal((format, (long?)SampleImages.Capacity, null), (image.Format, image.Capacity, image.BackingFile));
            Assert.NotNull(image.Problem);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void An_image_without_a_name_has_no_backing_file(string format)
    {
        var image = Read(format, []);
        Assert.Equal((null, null, null), (image.BackingFile, image.BackingFormat, image.Problem));
    }

    [Theory]
    [InlineData(0UL, 8U, null)]
    [InlineData(512UL, 0U, null)]
    [InlineData(512UL, 1024U, "1023")]
    [InlineData(512UL, uint.MaxValue, "1023")]
    [InlineData(2044UL, 8U, "within")]
    [InlineData(2048UL, 1U, "within")]
    [InlineData(ulong.MaxValue, 8U, "within")]
    [InlineData(1UL << 63, 8U, "within")]
    public void A_name_of_a_qcow_that_is_not_there_too_long_or_outside_is_ignored(ulong offset, uint length, string? problem)
    {
        foreach (var version in new uint[] { 1, 2, 3 })
        {
            var head = new Head(2048, bigEndian: true).Put(0, new Qcow2Head { Version = version }.Write(104)).U64(8, offset).U32(16, length).Put(512, new string('n', 1200));
            if (version == 1)
                head.U32(36, 0);
            var image = ImageHeader.Read(head.Bytes, 4096);
            Assert.Null(image.BackingFile);
            Assert.Equal(problem is null, image.Problem is null);
            Assert.Contains(problem ?? "", image.Problem ?? "", StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0b000UL, null, null)]
    [InlineData(0b001UL, "base", null)]
    [InlineData(0b101UL, "base", "raw")]
    [InlineData(0b100UL, null, null)]
    [InlineData(0b011UL, "base", null)]
    public void The_backing_file_and_format_of_a_qed_are_said_by_its_features(ulong features, string? name, string? format)
    {
        var image = ImageHeader.Read(Qed("base"u8.ToArray()).U64(16, features).Bytes, 4096);
        Assert.Equal((name, format, null), (image.BackingFile, image.BackingFormat, image.Problem));
    }

    [Theory]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(64U, uint.MaxValue)]
    [InlineData(2048U, 1U)]
    [InlineData(64U, 1985U)]
    public void A_name_of_a_qed_that_is_outside_is_ignored(uint offset, uint length)
    {
        var image = ImageHeader.Read(Qed([]).U64(16, 0b101).U32(56, offset).U32(60, length).Bytes, 4096);
        Assert.Equal((null, null, true), (image.BackingFile, image.BackingFormat, image.Problem is not null));
    }

    [Fact]
    public void A_name_that_is_longer_than_any_path_is_ignored()
    {
        foreach (var (length, shown) in new[] { (4095, true), (4096, false) })
        {
            var name = new string('n', length);
            var qed = new Head(8192, bigEndian: false).Put(0, Qed([]).U64(16, 1).U32(60, (uint)length).Bytes).Put(64, name);
            foreach (var image in new[] { ImageHeader.Read(qed.Bytes, 8192), Vmdk($"parentFileNameHint=\"{name}\"") })
                Assert.Equal((shown ? name : null, !shown), (image.BackingFile, image.Problem is not null));
        }
    }

    [Fact]
    public void The_hint_of_a_vmdk_is_read_up_to_its_quote()
    {
        Assert.Equal("base.vmdk", Vmdk("CID=1\nparentFileNameHint=\"base.vmdk\"\nx=\"y\"").BackingFile);
        Assert.Null(Vmdk("CID=1\0parentFileNameHint=\"base.vmdk\"").BackingFile);
        Assert.Null(Vmdk("parentFileNameHint=base.vmdk").BackingFile);
        var cutOff = Vmdk("parentFileNameHint=\"base.vmdk\n");
        Assert.Equal((null, true), (cutOff.BackingFile, cutOff.Problem is not null));
    }

    [Fact]
    public void The_hint_of_a_vmdk_is_looked_for_in_twenty_sectors_after_the_first()
    {
        const string Hint = "parentFileNameHint=\"b\"";
        Assert.Equal("b", Vmdk(new string('#', 20 * 512 - Hint.Length) + Hint).BackingFile);
        Assert.Null(Vmdk(new string('#', 20 * 512) + Hint).BackingFile);
    }

    [Fact]
    public void A_cow_that_ends_within_its_names_field_has_a_problem()
    {
        var image = ImageHeader.Read(Cow("base"u8.ToArray()).Bytes.AsSpan(0, 500), 500);
        Assert.Equal(("cow", null, true), (image.Format, image.BackingFile, image.Problem is not null));
    }

    private static ImageHeader Read(string format, byte[] name) => ImageHeader.Read(
        format switch
        {
            "qcow" => Qcow(1, name).Bytes,
            "qcow2" => Qcow(3, name).U32(20, 16).U32(100, 104).Bytes,
            "qed" => Qed(name).Bytes,
            "cow" => Cow(name).Bytes,
            _ => VmdkHead([.. "CID=1\nparentFileNameHint=\""u8, .. name, .. "\"\n"u8]).Bytes,
        },
        4096);

    private static Head Qcow(uint version, byte[] name) =>
        new Head(2048, bigEndian: true).Put(0, [.. "QFI"u8, 0xFB]).U32(4, version).U64(8, name.Length == 0 ? 0 : 512UL).U32(16, (uint)name.Length)
            .U64(24, SampleImages.Capacity).Put(512, name);

    private static Head Qed(byte[] name) =>
        new Head(2048, bigEndian: false).Put(0, "QED\0").U64(16, name.Length == 0 ? 0 : 1UL).U64(48, SampleImages.Capacity).U32(56, 64)
            .U32(60, (uint)name.Length).Put(64, name);

    private static Head Cow(byte[] name) =>
        new Head(2048, bigEndian: true).Put(0, "OOOM").U32(4, 2).Put(8, name).U64(1036, SampleImages.Capacity);

    private static ImageHeader Vmdk(string descriptor) => ImageHeader.Read(VmdkHead(Encoding.UTF8.GetBytes(descriptor)).Bytes, 4096);

    private static Head VmdkHead(byte[] descriptor) =>
        new Head(16384, bigEndian: false).Put(0, "KDMV").U32(4, 1).U64(12, SampleImages.Capacity / 512).Put(512, descriptor);
}
