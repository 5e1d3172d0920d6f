using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Volumes that qemu-img encrypts, copied, made larger and smaller: with their passphrase, and not without.</summary>
public sealed class EncryptedCopyTests(EncryptedImages images) : IClassFixture<EncryptedImages>, IDisposable
{
    private const long MiB = 1 << 20;

    private readonly EncryptedPool pool = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("raw", "qcow2")]
    [InlineData("qcow2", "raw")]
    public async Task Content_is_encrypted_anew_and_comes_out_as_it_was(string format, string other)
    {
        await pool.BuildAsync();
        images.Put(format, $"{pool.Path}/in");
        var anew = await pool.CloneAsync(new VolumeDefinition { Name = "anew", Format = other, Encryption = EncryptedPool.Luks("other") }, pool.Source("in", "disk"));
        Assert.Equal((other, EncryptedImages.Size, "luks"), (anew.Format, anew.Capacity, anew.Encryption!.Format));
        Assert.Null((await pool.CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, pool.Source("anew", "other"))).Encryption);
        var content = await ContentAsync();
        Assert.Equal(content, await pool.ReadAsync("out"));
        Assert.Equal(-1, (await pool.ReadAsync("anew")).AsSpan().IndexOf(content.AsSpan(0, 512)));
        Assert.Equal(["anew", "in", "out"], pool.Host.Names);
    }

    [Fact]
    public async Task A_copy_with_the_wrong_passphrase_fails_and_leaves_nothing()
    {
        await pool.BuildAsync();
        images.Put("raw", $"{pool.Path}/v");
        Assert.Equal(
            ErrorCodes.SecretWrong,
            (await EncryptedPool.RefusedAsync(() => pool.CloneAsync(new VolumeDefinition { Name = "copy" }, pool.Source("v", "other")))).Code);
        Assert.Equal(ErrorCodes.SecretWrong, (await EncryptedPool.RefusedAsync(() => pool.ResizeAsync("v", Grown("other")))).Code);
        Assert.Equal(["v"], pool.Host.Names);
    }

    [Fact]
    public async Task Without_a_word_of_its_secret_it_is_that_of_its_path()
    {
        await pool.BuildAsync();
        pool.Values[$"{pool.Path}/v"] = EncryptedImages.Passphrase;
        images.Put("raw", $"{pool.Path}/v");
        Assert.Equal(2 * MiB, (await pool.CloneAsync(new VolumeDefinition { Name = "copy" }, pool.Host.Source("v"))).Capacity);
        Assert.Equal(3 * MiB, (await pool.ResizeAsync("v", Grown(null))).Capacity);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_volume_grows_and_shrinks_and_keeps_its_content(string format)
    {
        await pool.BuildAsync();
        images.Put(format, $"{pool.Path}/v");
        var secret = new SecretReference(Usage: "disk");
        Assert.Equal(3 * MiB, (await pool.ResizeAsync("v", new VolumeResize(2 * MiB, 3 * MiB, Allocate: false, secret))).Capacity);
        Assert.Equal(4 * MiB, (await pool.ResizeAsync("v", new VolumeResize(3 * MiB, 4 * MiB, Allocate: true, secret))).Capacity);
        Assert.Equal(2 * MiB, (await pool.ResizeAsync("v", new VolumeResize(4 * MiB, 2 * MiB, Allocate: false, secret))).Capacity);
        await pool.CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, pool.Source("v", "disk"));
        Assert.Equal(await ContentAsync(), await pool.ReadAsync("out"));
    }

    [Fact]
    public async Task An_overlay_is_encrypted_by_itself()
    {
        await pool.BuildAsync();
        SomeContent.Sparse($"{pool.Path}/base", MiB);
        await pool.CreateAsync(new VolumeDefinition
        {
            Name = "v",
            Format = "qcow2",
            BackingStore = new BackingStore("base", "raw"),
            Encryption = EncryptedPool.Luks("disk"),
        });
        await pool.CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, pool.Source("v", "disk"));
        Assert.Equal(await pool.ReadAsync("base"), await pool.ReadAsync("out"));
    }

    [Theory]
    [InlineData("raw", "luks")]
    [InlineData("qcow2", "qcow2")]
    public async Task An_overlay_on_an_encrypted_image_is_copied_and_resized_with_the_secret_that_is_said(string format, string named)
    {
        await pool.BuildAsync();
        images.Put(format, $"{pool.Path}/base");
        await OverlayAsync("base", named);
        await pool.CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, pool.Source("top", "disk"));
        Assert.Equal(await ContentAsync(), await pool.ReadAsync("out"));
        Assert.Equal(3 * MiB, (await pool.ResizeAsync("top", Grown("disk"))).Capacity);
        Assert.Equal("base", LocalVolumeFiles.Read(pool.Path, "top")!.BackingStore!.Path);
        await pool.CloneAsync(new VolumeDefinition { Name = "anew", Format = "qcow2", Encryption = EncryptedPool.Luks("other") }, pool.Source("top", "disk"));
        await pool.CloneAsync(new VolumeDefinition { Name = "larger", Format = "raw" }, pool.Source("anew", "other"));
        byte[] expected = [.. await ContentAsync(), .. new byte[MiB]];
        Assert.Equal(expected, await pool.ReadAsync("larger"));
    }

    [Fact]
    public async Task A_chain_of_encrypted_images_opens_where_one_secret_opens_them_all()
    {
        await pool.BuildAsync();
        images.Put("qcow2", $"{pool.Path}/base");
        foreach (var usage in new[] { "disk", "other" })
            await pool.CreateAsync(new VolumeDefinition
            {
                Name = usage,
                Format = "qcow2",
                BackingStore = new BackingStore("base", "qcow2"),
                Encryption = EncryptedPool.Luks(usage),
            });
        await pool.CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, pool.Source("disk", "disk"));
        Assert.Equal(await ContentAsync(), await pool.ReadAsync("out"));
        foreach (var usage in new[] { "disk", "other" })
        {
            var error = await EncryptedPool.RefusedAsync(() => pool.CloneAsync(new VolumeDefinition { Name = "copy" }, pool.Source("other", usage)));
            Assert.Equal(ErrorCodes.SecretWrong, error.Code);
            Assert.Contains("one opens them all", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(["base", "disk", "other", "out"], pool.Host.Names);
    }

    [Fact]
    public async Task The_secret_of_what_lies_behind_an_image_is_not_looked_for_by_its_path()
    {
        await pool.BuildAsync();
        images.Put("qcow2", $"{pool.Path}/base");
        // A guest that writes the header of top would else have read what it has no passphrase of.
        foreach (var name in new[] { "base", "top" })
            pool.Values[$"{pool.Path}/{name}"] = EncryptedImages.Passphrase;
        await OverlayAsync("base", "qcow2");
        foreach (var action in new Func<Task>[] { () => pool.CloneAsync(new VolumeDefinition { Name = "copy" }, pool.Host.Source("top")), () => pool.ResizeAsync("top", Grown(null)) })
        {
            var error = await EncryptedPool.RefusedAsync(action);
            Assert.Equal((ErrorCodes.InvalidArgument, $"{pool.Path}/base"), (error.Code, error.Resource));
        }
        Assert.Equal(["base", "top"], pool.Host.Names);
    }

    [Fact]
    public async Task What_qemu_gave_up_is_refused_before_a_secret_is_asked_for()
    {
        await pool.BuildAsync();
        await pool.Host.Tools.RunAsync(
            new HostCommand(
                Requires.Tool("qemu-img"), "create", "-f", "qcow2", "--object", "secret,id=s,data=x", "-o", "encrypt.format=aes,encrypt.key-secret=s",
                $"{pool.Path}/aes", "1M"),
            Cancellation);
        Assert.Equal(
            ErrorCodes.Unsupported,
            (await EncryptedPool.RefusedAsync(() => pool.CloneAsync(new VolumeDefinition { Name = "copy" }, pool.Source("aes", "missing")))).Code);
    }

    [Fact]
    public async Task Shared_blocks_and_encryption_exclude_each_other()
    {
        await pool.BuildAsync();
        SomeContent.Sparse($"{pool.Path}/content", MiB);
        Assert.Equal("reflink", (await EncryptedPool.RefusedAsync(() => pool.CloneAsync(
            new VolumeDefinition { Name = "v", Encryption = EncryptedPool.Luks("disk") }, pool.Host.Source("content"), reflink: true))).Field);
    }

    public void Dispose() => pool.Dispose();

    private static VolumeResize Grown(string? usage) => new(2 * MiB, 3 * MiB, Allocate: false, usage is null ? null : new SecretReference(Usage: usage));

    private Task<byte[]> ContentAsync() => File.ReadAllBytesAsync(images.Content, Cancellation);

    /// <summary>A plain image <c>top</c> on another one.</summary>
    private Task<ToolOutput> OverlayAsync(string backing, string format) => pool.Host.Tools.RunAsync(
        new HostCommand(Requires.Tool("qemu-img"), "create", "-f", "qcow2", "-u", "-b", backing, "-F", format, $"{pool.Path}/top", "2M"), Cancellation);
}
