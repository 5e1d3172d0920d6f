using Storage.Contracts.Images;
using Xunit;

namespace Storage.Tests.Images;

public sealed class Qcow2HeaderTests
{
    [Fact]
    public void Version_3_shows_what_its_header_says()
    {
        var image = Read(new() { ClusterBits = 17, Backing = "../base.img", Compatible = 1, Incompatible = 0b1_0000, Extensions = [(SampleImages.BackingFormat, "raw")] });
        Assert.Equal(("qcow2", 1L << 30, 131072L, "1.1"), (image.Format, image.Capacity, image.ClusterSize, image.Compat));
        Assert.Equal(("../base.img", "raw", null, null), (image.BackingFile, image.BackingFormat, image.Encryption, image.Problem));
        Assert.Equal(["lazy_refcounts", "extended_l2"], image.Features!);
    }

    [Fact]
    public void Version_2_has_no_compat_and_no_features_whatever_stands_where_version_3_has_them()
    {
        var image = ImageHeader.Read(
            new Head(512, bigEndian: true).Put(0, new Qcow2Head { Version = 2 }.Write(72)).U64(72, 0).U64(80, ulong.MaxValue).Bytes, 4096);
        Assert.Equal(("qcow2", 1L << 30, 65536L), (image.Format, image.Capacity, image.ClusterSize));
        Assert.Equal((null, null, null), (image.Compat, image.Features, image.Problem));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void An_extension_after_one_whose_length_is_no_multiple_of_eight_is_read(int version)
    {
        var image = Read(new()
        {
            Version = (uint)version,
            Backing = "b",
            Incompatible = 0b100,
            Extensions = [(0xFEED, "12345"), (SampleImages.BackingFormat, "qcow2"), (0xBEEF, ""), (SampleImages.DataFile, "disk.data")],
        });
        Assert.Equal(("b", "qcow2", "disk.data", null), (image.BackingFile, image.BackingFormat, image.DataFile, image.Problem));
    }

    [Fact]
    public void Extensions_begin_after_a_header_that_is_longer_than_we_know() =>
        Assert.Equal("raw", Read(new() { HeaderLength = 160, Extensions = [(SampleImages.BackingFormat, "raw")] }).BackingFormat);

    [Fact]
    public void What_follows_the_end_of_the_extensions_is_none() =>
        Assert.Null(Read(new() { Extensions = [(0, ""), (SampleImages.BackingFormat, "raw")] }).BackingFormat);

    [Fact]
    public void What_follows_the_first_cluster_is_no_extension() =>
        Assert.Null(Read(new() { ClusterBits = 9, Extensions = [(1, new string('x', 392)), (SampleImages.BackingFormat, "raw")] }).BackingFormat);

    [Fact]
    public void The_backing_files_name_is_not_taken_for_an_extension()
    {
        var named = new Head(512, bigEndian: true).Put(0, new Qcow2Head().Write(104)).U64(8, 104).U32(16, 16).U32(104, SampleImages.BackingFormat).U32(108, 3).Put(112, "raw");
        Assert.Null(ImageHeader.Read(named.Bytes, 4096).BackingFormat);
    }

    [Fact]
    public void An_extension_that_is_longer_than_the_header_ends_the_walk_with_a_problem()
    {
        var head = new Head(512, bigEndian: true).Put(0, new Qcow2Head().Write(104)).U32(104, 1).U32(108, uint.MaxValue).U32(112, SampleImages.BackingFormat).U32(116, 1);
        var image = ImageHeader.Read(head.Bytes, 4096);
        Assert.Equal(("qcow2", null), (image.Format, image.BackingFormat));
        Assert.Contains("extension", image.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_backing_format_is_never_guessed()
    {
        var image = Read(new() { Backing = "base.qcow2" });
        Assert.Equal(("base.qcow2", null), (image.BackingFile, image.BackingFormat));
    }

    [Theory]
    [InlineData(0UL, 0UL, "", null)]
    [InlineData(0UL, 1UL, "lazy_refcounts", null)]
    [InlineData(0b100UL, 0UL, "data_file", null)]
    [InlineData(0b1_0000UL, 0UL, "extended_l2", null)]
    [InlineData(0b1_1101UL, 0b11UL, "lazy_refcounts extended_l2 data_file", null)]
    [InlineData(0b10UL, 0UL, "", "corrupt")]
    [InlineData(0b10_0000UL, 0UL, "", "not known")]
    [InlineData(1UL << 63, 0UL, "", "not known")]
    public void Features_are_those_bits_that_libvirt_names(ulong incompatible, ulong compatible, string features, string? problem)
    {
        var image = Read(new() { Incompatible = incompatible, Compatible = compatible });
        Assert.Equal(features, string.Join(' ', image.Features!));
        Assert.Equal(problem is not null, image.Problem?.Contains(problem!, StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(0, null, false)]
    [InlineData(1, "qcow", false)]
    [InlineData(2, "luks", false)]
    [InlineData(3, null, true)]
    public void Encryption_is_the_method_of_the_header(int method, string? encryption, bool problem)
    {
        var image = Read(new() { Crypt = (uint)method });
        Assert.Equal((encryption, problem), (image.Encryption, image.Problem is not null));
    }

    [Theory]
    [InlineData(8, null)]
    [InlineData(9, 512L)]
    [InlineData(21, 2097152L)]
    [InlineData(22, null)]
    [InlineData(0, null)]
    [InlineData(-1, null)]
    public void A_cluster_size_that_qcow2_cannot_have_is_a_problem(int bits, long? size)
    {
        var image = Read(new() { ClusterBits = (uint)bits });
        Assert.Equal((size, size is null), (image.ClusterSize, image.Problem is not null));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(72)]
    [InlineData(96)]
    [InlineData(103)]
    [InlineData(105)]
    [InlineData(4096)]
    [InlineData(-1)]
    public void A_header_length_that_version_3_cannot_have_is_a_problem_and_not_raw(int length)
    {
        var head = new Head(2048, bigEndian: true).Put(0, new Qcow2Head { Compatible = 1 }.Write(104)).U32(100, (uint)length);
        var image = ImageHeader.Read(head.Bytes, 4096);
        Assert.Equal(("qcow2", 1L << 30, "1.1", null), (image.Format, image.Capacity, image.Compat, image.BackingFormat));
        Assert.NotNull(image.Problem);
    }

    [Theory]
    [InlineData(2, 8, 71)]
    [InlineData(3, 8, 103)]
    public void A_header_that_is_cut_off_anywhere_is_a_problem_and_not_raw(int version, int from, int to)
    {
        var head = new Qcow2Head { Version = (uint)version, Backing = "b" }.Write();
        for (var length = from; length <= to; length++)
        {
            var image = ImageHeader.Read(head.AsSpan(0, length), length);
            Assert.Equal(("qcow2", true), (image.Format, image.Problem is not null));
        }
    }

    [Fact]
    public void A_format_or_data_file_that_is_no_text_is_left_out_with_a_problem()
    {
        foreach (var extension in new[] { SampleImages.BackingFormat, SampleImages.DataFile })
        {
            var image = Read(new() { Extensions = [(extension, "r\naw")] });
            Assert.Equal((null, null, true), (image.BackingFormat, image.DataFile, image.Problem is not null));
        }
    }

    private static ImageHeader Read(Qcow2Head head) => ImageHeader.Read(head.Write(), 4096);
}
