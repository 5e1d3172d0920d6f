using System.Text;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Volumes that qemu-img encrypts: what is in them is read back with the passphrase, and not without.</summary>
public sealed class EncryptedVolumeTests(EncryptedImages images) : IClassFixture<EncryptedImages>, IDisposable
{
    private const long MiB = 1 << 20;
    private const string Passphrase = EncryptedImages.Passphrase;

    private static readonly VolumeEncryption Luks = Of("disk");

    private readonly DirPoolHost host = new();
    private readonly ScriptFolder scripts = new();
    private readonly Dictionary<string, string> values = new() { ["disk"] = Passphrase, ["other"] = "another one" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_raw_volume_is_encrypted_and_opens_with_its_passphrase_alone()
    {
        await BuildAsync();
        var made = await CreateAsync(new VolumeDefinition { Name = "v", Capacity = MiB, Encryption = Luks });
        Assert.Equal(("raw", MiB, "luks"), (made.Format, made.Capacity, made.Encryption!.Format));
        Assert.Equal("luks", (await host.InfoAsync("v", Cancellation)).GetProperty("format").GetString());
        await AssertOpensAsync("raw");
    }

    [Fact]
    public async Task A_qcow2_volume_is_encrypted_with_the_cipher_that_is_asked_for_and_opens_with_its_passphrase_alone()
    {
        await BuildAsync();
        var cipher = Luks with { Cipher = new EncryptionCipher("aes", 128, "cbc", "sha512"), Ivgen = new EncryptionIvgen("essiv", "sha256") };
        var made = await CreateAsync(new VolumeDefinition { Name = "v", Format = "qcow2", Capacity = MiB, Compat = "0.10", Encryption = cipher });
        Assert.Equal(("qcow2", MiB, "luks"), (made.Format, made.Capacity, made.Encryption!.Format));
        var data = (await host.InfoAsync("v", Cancellation)).GetProperty("format-specific").GetProperty("data").GetProperty("encrypt");
        Assert.Equal(
            ("aes-128", "cbc", "sha512", "essiv", "sha256"),
            (Text("cipher-alg"), Text("cipher-mode"), Text("hash-alg"), Text("ivgen-alg"), Text("ivgen-hash-alg")));
        await AssertOpensAsync("qcow2");

        string? Text(string name) => data.GetProperty(name).GetString();
    }

    [Theory]
    [InlineData("raw", "qcow2")]
    [InlineData("qcow2", "raw")]
    public async Task Content_is_encrypted_anew_and_comes_out_as_it_was(string format, string other)
    {
        await BuildAsync();
        images.Put(format, $"{host.Path}/in");
        var anew = await CloneAsync(new VolumeDefinition { Name = "anew", Format = other, Encryption = Of("other") }, Encrypted("in", "disk"));
        Assert.Equal((other, EncryptedImages.Size, "luks"), (anew.Format, anew.Capacity, anew.Encryption!.Format));
        Assert.Null((await CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, Encrypted("anew", "other"))).Encryption);
        var content = await File.ReadAllBytesAsync(images.Content, Cancellation);
        Assert.Equal(content, await File.ReadAllBytesAsync($"{host.Path}/out", Cancellation));
        Assert.Equal(-1, (await File.ReadAllBytesAsync($"{host.Path}/anew", Cancellation)).AsSpan().IndexOf(content.AsSpan(0, 512)));
        Assert.Equal(["anew", "in", "out"], host.Names);
    }

    [Fact]
    public async Task A_copy_with_the_wrong_passphrase_fails_and_leaves_nothing()
    {
        await BuildAsync();
        images.Put("raw", $"{host.Path}/v");
        Assert.Equal(ErrorCodes.ToolFailed, (await RefusedAsync(() => CloneAsync(new VolumeDefinition { Name = "copy" }, Encrypted("v", "other")))).Code);
        Assert.Equal(["v"], host.Names);
    }

    [Fact]
    public async Task Without_a_word_of_its_secret_it_is_that_of_its_path()
    {
        await BuildAsync();
        values[$"{host.Path}/v"] = Passphrase;
        images.Put("raw", $"{host.Path}/v");
        Assert.Equal(2 * MiB, (await CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("v"))).Capacity);
        Assert.Equal(3 * MiB, (await ResizeAsync(new VolumeResize(2 * MiB, 3 * MiB, Allocate: false))).Capacity);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_volume_grows_and_shrinks_and_keeps_its_content(string format)
    {
        await BuildAsync();
        images.Put(format, $"{host.Path}/v");
        var secret = new SecretReference(Usage: "disk");
        Assert.Equal(3 * MiB, (await ResizeAsync(new VolumeResize(2 * MiB, 3 * MiB, Allocate: false, secret))).Capacity);
        Assert.Equal(4 * MiB, (await ResizeAsync(new VolumeResize(3 * MiB, 4 * MiB, Allocate: true, secret))).Capacity);
        Assert.Equal(2 * MiB, (await ResizeAsync(new VolumeResize(4 * MiB, 2 * MiB, Allocate: false, secret))).Capacity);
        await CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, Encrypted("v", "disk"));
        Assert.Equal(await File.ReadAllBytesAsync(images.Content, Cancellation), await File.ReadAllBytesAsync($"{host.Path}/out", Cancellation));
    }

    [Fact]
    public async Task A_wipe_needs_no_secret_and_leaves_no_key()
    {
        await BuildAsync();
        images.Put("raw", $"{host.Path}/v");
        var wiped = await host.Volumes.WipeVolumeAsync(host.Pool, "v", WipeAlgorithm.Zero, DirPoolHost.NewRun(), Cancellation);
        Assert.Null(wiped.Encryption);
        Assert.All(await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation), left => Assert.Equal(0, left));
    }

    public static TheoryData<VolumeDefinition, string> Refusals() => new()
    {
        { Volume("raw", Luks with { Secrets = null }), "encryption.secrets" },
        { Volume("raw", Luks with { Engine = "librbd" }), "encryption.engine" },
        { Volume("raw", Luks with { Format = "luks2" }), "encryption.format" },
        { Volume("qcow2", Luks with { Format = "qcow" }), "encryption.format" },
        { Volume("vmdk", Luks), "encryption" },
        { Volume("iso", Luks), "encryption" },
        { Volume("dir", Luks), "encryption" },
        { Volume("raw", Luks) with { BackingStore = new BackingStore("base", "raw") }, "backingStore" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_cannot_be_encrypted_is_refused_with_the_field_and_nothing_is_made(VolumeDefinition volume, string field)
    {
        await BuildAsync();
        await File.WriteAllBytesAsync($"{host.Path}/base", new byte[512], Cancellation);
        Assert.Equal(field, (await RefusedAsync(() => host.Volumes.CreateVolumeAsync(host.Pool, volume, NewRun(), Cancellation))).Field);
        Assert.Equal(["base"], host.Names);
    }

    [Fact]
    public async Task A_passphrase_that_is_no_text_or_is_not_there_is_an_error_and_nothing_is_made()
    {
        await BuildAsync();
        values["zero"] = "a\0b";
        var create = (string usage) => CreateAsync(new VolumeDefinition { Name = "v", Capacity = MiB, Encryption = Of(usage) });
        Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => create("zero"))).Code);
        Assert.Equal(ErrorCodes.SecretNotFound, (await RefusedAsync(() => create("missing"))).Code);
        Assert.Empty(host.Names);
    }

    [Fact]
    public async Task An_overlay_is_encrypted_by_itself_and_one_on_an_encrypted_image_is_neither_copied_nor_resized()
    {
        await BuildAsync();
        SomeContent.Sparse($"{host.Path}/base", MiB);
        await CreateAsync(new VolumeDefinition { Name = "v", Format = "qcow2", BackingStore = new BackingStore("base", "raw"), Encryption = Luks });
        await CloneAsync(new VolumeDefinition { Name = "out", Format = "raw" }, Encrypted("v", "disk"));
        Assert.Equal(await File.ReadAllBytesAsync($"{host.Path}/base", Cancellation), await File.ReadAllBytesAsync($"{host.Path}/out", Cancellation));
        await CreateAsync(new VolumeDefinition { Name = "top", Format = "qcow2", BackingStore = new BackingStore("v", "qcow2") });
        Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("top")))).Code);
    }

    [Fact]
    public async Task What_qemu_gave_up_and_LUKS2_are_refused_before_a_secret_is_asked_for()
    {
        await BuildAsync();
        images.Put("raw", $"{host.Path}/luks2");
        await using (var file = File.OpenWrite($"{host.Path}/luks2"))
        {
            file.Position = 7;
            file.WriteByte(2);
        }
        await host.Tools.RunAsync(
            new HostCommand(
                Requires.Tool("qemu-img"), "create", "-f", "qcow2", "--object", "secret,id=s,data=x", "-o", "encrypt.format=aes,encrypt.key-secret=s",
                $"{host.Path}/aes", "1M"),
            Cancellation);
        foreach (var name in new[] { "luks2", "aes" })
            Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => CloneAsync(new VolumeDefinition { Name = "copy" }, Encrypted(name, "missing")))).Code);
    }

    [Fact]
    public async Task Shared_blocks_and_encryption_exclude_each_other()
    {
        await BuildAsync();
        SomeContent.Sparse($"{host.Path}/content", MiB);
        Assert.Equal("reflink", (await RefusedAsync(() => host.CloneAsync(
            new VolumeDefinition { Name = "v", Encryption = Luks }, host.Source("content"), Cancellation, reflink: true, NewRun()))).Field);
    }

    [Fact]
    public async Task LUKS_is_announced_where_qemu_img_makes_it_and_LUKS2_with_the_reason_why_not()
    {
        Requires.Tool("qemu-img");
        var support = (await host.Backend.ProbeAsync(Cancellation)).Encryption!;
        Assert.Equal([("luks", true), ("luks2", false)], support.Select(row => (row.Format, row.Available)));
        Assert.NotNull(support[1].Reason);
    }

    public void Dispose()
    {
        host.Dispose();
        scripts.Dispose();
    }

    private static VolumeEncryption Of(string usage) => new("luks", Secrets: [new SecretReference(Usage: usage, Type: "passphrase")]);

    private static VolumeDefinition Volume(string format, VolumeEncryption encryption) =>
        new() { Name = "v", Format = format, Capacity = MiB, Encryption = encryption };

    private async Task BuildAsync()
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
    }

    private CloneSource Encrypted(string volume, string usage) => host.Source(volume) with { Secret = new SecretReference(Usage: usage) };

    private Run NewRun() => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
    {
        Secrets = (secret, _) => Task.FromResult(values.TryGetValue(secret.Usage!, out var value)
            ? SecretValue.Of(Encoding.UTF8.GetBytes(value))
            : throw new StorageException(ErrorCodes.SecretNotFound, $"There is no secret for '{secret.Usage}'.")),
    };

    private Task<VolumeDefinition> CreateAsync(VolumeDefinition volume) =>
        host.Volumes.CreateVolumeAsync(host.Pool, VolumeRules.Complete(PoolTypes.Of(PoolType.Dir), volume), NewRun(), Cancellation);

    private Task<VolumeDefinition> CloneAsync(VolumeDefinition volume, CloneSource source) => host.CloneAsync(volume, source, Cancellation, run: NewRun());

    private Task<VolumeDefinition> ResizeAsync(VolumeResize resize) => host.Volumes.ResizeVolumeAsync(host.Pool, "v", resize, NewRun(), Cancellation);

    private static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    private async Task AssertOpensAsync(string format)
    {
        await CheckAsync(format, Passphrase);
        Assert.Equal(ErrorCodes.ToolFailed, (await RefusedAsync(() => CheckAsync(format, "wrong"))).Code);
        Assert.Equal(["v"], host.Names);
    }

    /// <summary>Opens the image with a passphrase; a qcow2 is checked as well.</summary>
    private async Task CheckAsync(string format, string passphrase)
    {
        var file = Path.Combine(scripts.Path, "passphrase");
        File.WriteAllText(file, passphrase);
        var (driver, secret) = format == "qcow2" ? ("qcow2", "encrypt.key-secret") : ("luks", "key-secret");
        string[] call = format == "qcow2" ? ["check"] : ["convert", "-O", "raw"], target = format == "qcow2" ? [] : [Path.Combine(scripts.Path, "content")];
        await host.Tools.RunAsync(
            new HostCommand(
                Requires.Tool("qemu-img"),
                [.. call, "--object", $"secret,id=s,file={file}", "--image-opts", $"driver={driver},{secret}=s,file.filename={host.Path}/v", .. target]),
            Cancellation);
    }
}
