using Storage.Contracts.Images;
using Xunit;

namespace Storage.HostTests;

/// <summary>Headers of images that qemu-img made, read as it reads them.</summary>
public sealed class QemuImageTests : IDisposable
{
    private const string Luks = $"key-secret={QemuImage.Secret},iter-time=10";
    private const string Qcow2Luks = $"encrypt.format=luks,encrypt.key-secret={QemuImage.Secret},encrypt.iter-time=10";

    private readonly QemuImage images = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Options of qcow2, each with all others that it goes with; without LUKS, for which qemu-img needs seconds.</summary>
    private static IEnumerable<string> Qcow2Options =>
        from level in new[] { "0.10", "1.1" }
        from cluster in new[] { 512, 16384, 65536, 2 << 20 }
        from lazy in level == "1.1" ? ["", ",lazy_refcounts=on"] : new[] { "" }
        from extended in level == "1.1" && cluster >= 16384 ? ["", ",extended_l2=on"] : new[] { "" }
        from data in level == "1.1" ? ["", ",data_file=disk.data"] : new[] { "" }
        from backing in new[] { "", ",backing_file=base.raw,backing_fmt=raw", ",backing_file=base.qcow2,backing_fmt=qcow2" }
        from encryption in new[] { "", $",encrypt.format=aes,encrypt.key-secret={QemuImage.Secret}" }
        select $"compat={level},cluster_size={cluster}{lazy}{extended}{data}{backing}{encryption}";

    [Theory]
    [InlineData("raw", "")]
    [InlineData("qcow", "")]
    [InlineData("qcow", "backing_file=base.raw,backing_fmt=raw")]
    [InlineData("qcow", $"encrypt.format=aes,encrypt.key-secret={QemuImage.Secret}")]
    [InlineData("qcow2", "")]
    [InlineData("qcow2", "compression_type=zstd,refcount_bits=64")]
    [InlineData("qcow2", $"compat=0.10,cluster_size=512,backing_file=base.raw,backing_fmt=raw,{Qcow2Luks}")]
    [InlineData("qcow2", $"lazy_refcounts=on,extended_l2=on,data_file=disk.data,backing_file=base.qcow2,backing_fmt=qcow2,{Qcow2Luks}")]
    [InlineData("qcow2", "data_file=disk.data,data_file_raw=on,preallocation=metadata")]
    [InlineData("qed", "")]
    [InlineData("qed", "cluster_size=16384,table_size=2")]
    [InlineData("qed", "backing_file=base.raw,backing_fmt=raw")]
    [InlineData("qed", "backing_file=base.qcow2,backing_fmt=qcow2")]
    [InlineData("vdi", "")]
    [InlineData("vdi", "static=on")]
    [InlineData("vpc", "")]
    [InlineData("vpc", "subformat=dynamic,force_size=on")]
    [InlineData("vpc", "subformat=fixed")]
    [InlineData("vpc", "subformat=fixed,force_size=on")]
    [InlineData("vmdk", "")]
    [InlineData("vmdk", "subformat=monolithicSparse,compat6=on")]
    [InlineData("vmdk", "subformat=monolithicSparse,zeroed_grain=on")]
    [InlineData("vmdk", "subformat=monolithicSparse,backing_file=base.vmdk,backing_fmt=vmdk")]
    [InlineData("vmdk", "subformat=streamOptimized")]
    [InlineData("vmdk", "subformat=streamOptimized,backing_file=base.vmdk,backing_fmt=vmdk")]
    [InlineData("luks", Luks)]
    [InlineData("luks", $"{Luks},cipher-alg=twofish-256,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256")]
    public async Task An_image_is_read_as_qemu_img_reads_it(string format, string options)
    {
        await CreateBasesAsync(options);
        // 70 MiB: not a whole number of a vpc's tracks.
        await images.CreateAsync("image", format, images.Within(options), "70M", Cancellation);
        await AssertSameAsync("image");
    }

    [Fact]
    public async Task A_qcow2_of_any_options_is_read_as_qemu_img_reads_it()
    {
        await CreateBasesAsync("base.raw base.qcow2");
        foreach (var options in Qcow2Options)
        {
            await images.CreateAsync("image", "qcow2", images.Within(options), "70M", Cancellation);
            await AssertSameAsync("image", options);
        }
    }

    /// <summary>qemu-img makes none any more; older ones did.</summary>
    [Theory]
    [InlineData("0.10")]
    [InlineData("1.1")]
    public async Task A_qcow2_whose_backing_file_has_no_format_is_read_as_qemu_img_reads_it(string compat)
    {
        await CreateBasesAsync("base.raw");
        await images.CreateAsync("image", "qcow2", $"compat={compat},backing_file=base.raw,backing_fmt=raw", null, Cancellation);
        var bytes = await File.ReadAllBytesAsync(images.PathOf("image"), Cancellation);
        bytes[bytes.AsSpan().IndexOf(new byte[] { 0xE2, 0x79, 0x2A, 0xCA })] = 0x11;
        await File.WriteAllBytesAsync(images.PathOf("image"), bytes, Cancellation);
        var image = await AssertSameAsync("image");
        Assert.Equal(("base.raw", null), (image.BackingFile, image.BackingFormat));
    }

    [Theory]
    [InlineData("base.raw")]
    [InlineData("./ä ö.raw")]
    [InlineData("json:{\"driver\":\"file\",\"filename\":\"base.raw\"}")]
    [InlineData("nbd://nowhere.invalid/export")]
    public async Task A_backing_file_is_named_as_qemu_img_wrote_it_and_nothing_opens_it(string name)
    {
        await CreateBasesAsync("base.raw");
        await images.CreateAsync("image", "qcow2", "backing_file=base.raw,backing_fmt=raw", null, Cancellation);
        await images.RebaseAsync("image", name, "raw", Cancellation);
        File.Delete(images.PathOf("base.raw"));
        Assert.Equal(name, (await AssertSameAsync("image")).BackingFile);
    }

    [Theory]
    [InlineData("monolithicFlat")]
    [InlineData("twoGbMaxExtentFlat")]
    [InlineData("twoGbMaxExtentSparse")]
    public async Task A_vmdk_that_is_only_a_description_of_other_files_is_raw(string subformat)
    {
        await images.CreateAsync("image.vmdk", "vmdk", $"subformat={subformat}", "70M", Cancellation);
        var image = await images.ReadAsync("image.vmdk", Cancellation);
        Assert.Equal(new ImageHeader("raw", new FileInfo(images.PathOf("image.vmdk")).Length), image);
    }

    public void Dispose() => images.Dispose();

    private async Task CreateBasesAsync(string named)
    {
        foreach (var format in new[] { "raw", "qcow2", "vmdk" })
        {
            if (named.Contains($"base.{format}", StringComparison.Ordinal))
                await images.CreateAsync($"base.{format}", format, "", "70M", Cancellation);
        }
    }

    private async Task<ImageHeader> AssertSameAsync(string name, string? options = null)
    {
        var read = await images.ReadAsync(name, Cancellation);
        var info = QemuInfo.Header(await images.InfoAsync(name, Cancellation));
        Assert.Equal(info.Features, read.Features);
        Assert.True(info with { Features = null } == read with { Features = null }, $"{options}: qemu-img reads {info}, we {read}");
        return read;
    }
}
