using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Volumes that qemu-img encrypts as they are made: what is in them is read back with the passphrase, and not without.</summary>
public sealed class EncryptedVolumeTests(EncryptedImages images) : IClassFixture<EncryptedImages>, IDisposable
{
    private const long MiB = 1 << 20;

    private static readonly VolumeEncryption Luks = EncryptedPool.Luks("disk");

    private readonly EncryptedPool pool = new();
    private readonly ScriptFolder scripts = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_raw_volume_is_encrypted_and_opens_with_its_passphrase_alone()
    {
        await pool.BuildAsync();
        var made = await pool.CreateAsync(new VolumeDefinition { Name = "v", Capacity = MiB, Encryption = Luks });
        Assert.Equal(("raw", MiB, "luks"), (made.Format, made.Capacity, made.Encryption!.Format));
        Assert.Equal("luks", (await pool.Host.InfoAsync("v", Cancellation)).GetProperty("format").GetString());
        await AssertOpensAsync("raw");
    }

    [Fact]
    public async Task A_qcow2_volume_is_encrypted_with_the_cipher_that_is_asked_for_and_opens_with_its_passphrase_alone()
    {
        await pool.BuildAsync();
        var cipher = Luks with { Cipher = new EncryptionCipher("aes", 128, "cbc", "sha512"), Ivgen = new EncryptionIvgen("essiv", "sha256") };
        var made = await pool.CreateAsync(new VolumeDefinition { Name = "v", Format = "qcow2", Capacity = MiB, Compat = "0.10", Encryption = cipher });
        Assert.Equal(("qcow2", MiB, "luks"), (made.Format, made.Capacity, made.Encryption!.Format));
        var data = (await pool.Host.InfoAsync("v", Cancellation)).GetProperty("format-specific").GetProperty("data").GetProperty("encrypt");
        Assert.Equal(
            ("aes-128", "cbc", "sha512", "essiv", "sha256"),
            (Text("cipher-alg"), Text("cipher-mode"), Text("hash-alg"), Text("ivgen-alg"), Text("ivgen-hash-alg")));
        await AssertOpensAsync("qcow2");

        string? Text(string name) => data.GetProperty(name).GetString();
    }

    [Fact]
    public async Task A_wipe_needs_no_secret_and_leaves_no_key()
    {
        await pool.BuildAsync();
        images.Put("raw", $"{pool.Path}/v");
        var wiped = await pool.Host.Volumes.WipeVolumeAsync(pool.Host.Pool, "v", WipeAlgorithm.Zero, DirPoolHost.NewRun(), Cancellation);
        Assert.Null(wiped.Encryption);
        Assert.All(await pool.ReadAsync("v"), left => Assert.Equal(0, left));
    }

    public static TheoryData<VolumeDefinition, string> Refusals() => new()
    {
        { Volume("raw", Luks with { Secrets = null }), "encryption.secrets" },
        { Volume("raw", Luks with { Engine = "librbd" }), "encryption.engine" },
        { Volume("raw", Luks with { Format = "luks-any" }), "encryption.format" },
        { Volume("qcow2", Luks with { Format = "luks2" }), "encryption.format" },
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
        await pool.BuildAsync();
        await File.WriteAllBytesAsync($"{pool.Path}/base", new byte[512], Cancellation);
        Assert.Equal(
            field, (await EncryptedPool.RefusedAsync(() => pool.Host.Volumes.CreateVolumeAsync(pool.Host.Pool, volume, pool.NewRun(), Cancellation))).Field);
        Assert.Equal(["base"], pool.Host.Names);
    }

    [Fact]
    public async Task A_passphrase_that_is_no_text_or_is_not_there_is_an_error_and_nothing_is_made()
    {
        await pool.BuildAsync();
        pool.Values["zero"] = "a\0b";
        var create = (string usage) => pool.CreateAsync(new VolumeDefinition { Name = "v", Capacity = MiB, Encryption = EncryptedPool.Luks(usage) });
        Assert.Equal(ErrorCodes.Unsupported, (await EncryptedPool.RefusedAsync(() => create("zero"))).Code);
        Assert.Equal(ErrorCodes.SecretNotFound, (await EncryptedPool.RefusedAsync(() => create("missing"))).Code);
        Assert.Empty(pool.Host.Names);
    }

    [Fact]
    public async Task What_can_be_encrypted_is_announced()
    {
        Requires.Tool("qemu-img");
        Requires.Tool("cryptsetup");
        Assert.Equal(
            [("luks", true), ("luks2", true)], (await pool.Host.Backend.ProbeAsync(Cancellation)).Encryption!.Select(row => (row.Format, row.Available)));
    }

    public void Dispose()
    {
        pool.Dispose();
        scripts.Dispose();
    }

    private static VolumeDefinition Volume(string format, VolumeEncryption encryption) =>
        new() { Name = "v", Format = format, Capacity = MiB, Encryption = encryption };

    private async Task AssertOpensAsync(string format)
    {
        await CheckAsync(format, EncryptedImages.Passphrase);
        Assert.Equal(ErrorCodes.ToolFailed, (await EncryptedPool.RefusedAsync(() => CheckAsync(format, "wrong"))).Code);
        Assert.Equal(["v"], pool.Host.Names);
    }

    /// <summary>Opens the image with a passphrase; a qcow2 is checked as well.</summary>
    private async Task CheckAsync(string format, string passphrase)
    {
        var file = Path.Combine(scripts.Path, "passphrase");
        File.WriteAllText(file, passphrase);
        var (driver, secret) = format == "qcow2" ? ("qcow2", "encrypt.key-secret") : ("luks", "key-secret");
        string[] call = format == "qcow2" ? ["check"] : ["convert", "-O", "raw"], target = format == "qcow2" ? [] : [Path.Combine(scripts.Path, "content")];
        await pool.Host.Tools.RunAsync(
            new HostCommand(
                Requires.Tool("qemu-img"),
                [.. call, "--object", $"secret,id=s,file={file}", "--image-opts", $"driver={driver},{secret}=s,file.filename={pool.Path}/v", .. target]),
            Cancellation);
    }
}
