using System.Text;
using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Volumes that cryptsetup encrypts: it opens them with the passphrase, and not without.</summary>
public sealed class Luks2VolumeTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const string Passphrase = "correct horse, battery staple";

    private static readonly VolumeEncryption Luks2 = Of("luks2", "disk");

    private readonly DirPoolHost host = new();
    private readonly ScriptFolder scripts = new();
    private readonly List<SecretReference> asked = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 0, 18)]
    [InlineData(4 * MiB, 20, 21)]
    public async Task A_raw_volume_has_its_capacity_behind_the_header_and_opens_with_its_passphrase_alone(long allocation, long least, long most)
    {
        var made = await CreateAsync(4 * MiB - 1, allocation);
        Assert.Equal(("raw", 4 * MiB, "luks2"), (made.Format, made.Capacity, made.Encryption!.Format));
        Assert.InRange(made.Allocation!.Value, least * MiB, most * MiB);
        Assert.Equal(0, await OpenAsync(Passphrase));
        Assert.NotEqual(0, await OpenAsync("wrong"));
        Assert.Equal(["v"], host.Names);
    }

    [Theory]
    [InlineData("aes", 256, "xts", "sha512", null, null, "aes-xts-plain64", 64)]
    [InlineData("aes", 192, "cbc", null, "plain", null, "aes-cbc-plain", 24)]
    [InlineData("aes", 128, "cbc", "sha1", "essiv", "sha256", "aes-cbc-essiv:sha256", 16)]
    public async Task It_has_the_cipher_that_was_asked_for(
        string name, int size, string? mode, string? hash, string? ivgen, string? ivgenHash, string cipher, int keyBytes)
    {
        await CreateAsync(MiB, 0, Luks2 with
        {
            Cipher = new EncryptionCipher(name, size, mode, hash),
            Ivgen = ivgen is null ? null : new EncryptionIvgen(ivgen, ivgenHash),
        });
        var dump = await host.Tools.RunAsync(new HostCommand(Requires.Tool("cryptsetup"), "luksDump", "--dump-json-metadata", $"{host.Path}/v"), Cancellation);
        var header = JsonDocument.Parse(dump.Stdout).RootElement;
        Assert.Equal(cipher, header.GetProperty("segments").GetProperty("0").GetProperty("encryption").GetString());
        Assert.Equal(keyBytes, header.GetProperty("keyslots").GetProperty("0").GetProperty("key_size").GetInt32());
        Assert.Equal(hash ?? "sha256", header.GetProperty("digests").GetProperty("0").GetProperty("hash").GetString());
        Assert.Equal(0, await OpenAsync(Passphrase));
    }

    [Fact]
    public async Task A_cipher_that_it_cannot_have_is_refused_and_nothing_is_left()
    {
        var error = (await Assert.ThrowsAsync<StorageException>(() => CreateAsync(MiB, 0, Luks2 with { Cipher = new EncryptionCipher("aes", 512) }))).Error;
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, "encryption.cipher"), (error.Code, error.Field));
        Assert.Empty(host.Names);
    }

    [Fact]
    public async Task It_grows_and_shrinks_without_a_secret_and_still_opens()
    {
        await CreateAsync(4 * MiB, 0);
        asked.Clear();
        Assert.Equal(6 * MiB, (await ResizeAsync(4 * MiB, 6 * MiB, allocate: true)).Capacity);
        Assert.Equal(2 * MiB, (await ResizeAsync(6 * MiB, 2 * MiB, allocate: false)).Capacity);
        Assert.Empty(asked);
        Assert.Equal(0, await OpenAsync(Passphrase));
    }

    [Fact]
    public async Task A_tool_that_makes_no_header_is_an_error_and_nothing_is_left()
    {
        Requires.Tool("cryptsetup");
        await host.BuildAsync(Cancellation);
        var lies = scripts.Script("exit 0");
        File.Move(lies, Path.Combine(scripts.Path, "cryptsetup"));
        var path = Environment.GetEnvironmentVariable("PATH");
        Environment.SetEnvironmentVariable("PATH", $"{scripts.Path}:{path}");
        try
        {
            Assert.Equal(ErrorCodes.ToolFailed, (await Assert.ThrowsAsync<StorageException>(() => CreateAsync(MiB, 0))).Error.Code);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PATH", path);
        }
        Assert.Empty(host.Names);
    }

    [Theory]
    [InlineData(null, 4)]
    [InlineData(6 * MiB - 1, 6)]
    public async Task A_copy_is_the_same_to_the_byte_opens_with_the_same_passphrase_and_may_be_larger(long? capacity, long expected)
    {
        await CreateAsync(4 * MiB, 0);
        await FillAsync();
        var made = await CloneAsync(Copy() with { Capacity = capacity, Allocation = 0 });
        Assert.Equal(("raw", expected * MiB, "luks2"), (made.Format, made.Capacity, made.Encryption!.Format));
        var source = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        var copy = await File.ReadAllBytesAsync($"{host.Path}/copy", Cancellation);
        Assert.True(source.AsSpan().SequenceEqual(copy.AsSpan(0, source.Length)));
        Assert.Equal(-1, copy.AsSpan(source.Length).IndexOfAnyExcept((byte)0));
        Assert.True(made.Allocation < copy.Length);
        Assert.Equal(0, await OpenAsync(Passphrase, "copy"));
        Assert.NotEqual(0, await OpenAsync("wrong", "copy"));
        Assert.Equal(["copy", "v"], host.Names);
    }

    [Fact]
    public async Task A_copy_is_full_where_nothing_else_is_said()
    {
        await CreateAsync(4 * MiB, 0);
        Assert.InRange((await CloneAsync(Copy())).Allocation!.Value, 20 * MiB, 21 * MiB);
    }

    [Fact]
    public async Task A_copy_that_was_complete_when_its_run_was_cut_off_is_adopted_also_when_its_source_is_gone()
    {
        await CreateAsync(4 * MiB, 0);
        var run = NewRun();
        await host.CloneAsync(Copy(), host.Source("v"), Cancellation, run: run);
        File.Delete($"{host.Path}/v");
        var again = new Run(run.OperationId, true, _ => Task.CompletedTask, new Progress<OperationProgress>()) { Plan = run.Plan };
        Assert.Equal(4 * MiB, (await host.CloneAsync(Copy(), host.Source("v"), Cancellation, run: again)).Capacity);
    }

    public static TheoryData<VolumeDefinition, string, string> Refusals() => new()
    {
        { Copy() with { Encryption = Of("luks2", "other") }, ErrorCodes.SecretWrong, "encryption.secrets" },
        { Copy() with { Encryption = Of("luks", "disk") }, ErrorCodes.Unsupported, "encryption" },
        { Copy() with { Encryption = null }, ErrorCodes.Unsupported, "encryption" },
        { Copy() with { Encryption = Luks2 with { Cipher = new EncryptionCipher("aes", 256) } }, ErrorCodes.Unsupported, "encryption.cipher" },
        { Copy() with { Encryption = null, Format = "qcow2" }, ErrorCodes.Unsupported, "format" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_copy_that_would_need_another_passphrase_or_encryption_is_refused_with_the_field(VolumeDefinition copy, string code, string field)
    {
        await CreateAsync(MiB, 0);
        var error = (await Assert.ThrowsAsync<StorageException>(() => CloneAsync(copy))).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
        Assert.Equal(["v"], host.Names);
    }

    [Fact]
    public async Task Nothing_else_is_copied_into_LUKS_2()
    {
        await CreateAsync(MiB, 0);
        SomeContent.Sparse($"{host.Path}/plain", MiB);
        var error = (await Assert.ThrowsAsync<StorageException>(() => host.CloneAsync(Copy(), host.Source("plain"), Cancellation, run: NewRun()))).Error;
        Assert.Equal((ErrorCodes.Unsupported, "encryption.format"), (error.Code, error.Field));
    }

    [Fact]
    public async Task A_wipe_leaves_no_key()
    {
        await CreateAsync(MiB, 0);
        var wiped = await host.Volumes.WipeVolumeAsync(host.Pool, "v", WipeAlgorithm.Zero, DirPoolHost.NewRun(), Cancellation);
        Assert.Null(wiped.Encryption);
        Assert.All(await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation), left => Assert.Equal(0, left));
    }

    public void Dispose()
    {
        host.Dispose();
        scripts.Dispose();
    }

    private async Task<VolumeDefinition> CreateAsync(long capacity, long allocation, VolumeEncryption? encryption = null)
    {
        Requires.Tool("cryptsetup");
        await host.BuildAsync(Cancellation);
        var volume = new VolumeDefinition { Name = "v", Format = "raw", Capacity = capacity, Allocation = allocation, Encryption = encryption ?? Luks2 };
        return await host.Volumes.CreateVolumeAsync(host.Pool, VolumeRules.Complete(PoolTypes.Of(PoolType.Dir), volume), NewRun(), Cancellation);
    }

    private Task<VolumeDefinition> ResizeAsync(long from, long to, bool allocate) =>
        host.Volumes.ResizeVolumeAsync(host.Pool, "v", new VolumeResize(from, to, allocate), NewRun(), Cancellation);

    private Run NewRun() => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
    {
        Secrets = (secret, _) =>
        {
            asked.Add(secret);
            return Task.FromResult(SecretValue.Of(Encoding.UTF8.GetBytes(secret.Usage == "disk" ? Passphrase : "another one")));
        },
    };

    private static VolumeEncryption Of(string format, string usage) => new(format, Secrets: [new SecretReference(Usage: usage, Type: "passphrase")]);

    private static VolumeDefinition Copy() => new() { Name = "copy", Encryption = Luks2 };

    private Task<VolumeDefinition> CloneAsync(VolumeDefinition copy) => host.CloneAsync(copy, host.Source("v"), Cancellation, run: NewRun());

    /// <summary>Content as who has it mapped writes it: a part of its data that look like nothing.</summary>
    private async Task FillAsync()
    {
        var content = new byte[MiB];
        new Random(1).NextBytes(content);
        await using var file = File.OpenWrite($"{host.Path}/v");
        file.Position = Cryptsetup.HeaderSize + MiB;
        await file.WriteAsync(content, Cancellation);
    }

    /// <returns>cryptsetup's exit code.</returns>
    private async Task<int> OpenAsync(string passphrase, string volume = "v")
    {
        var file = Path.Combine(scripts.Path, "passphrase");
        File.WriteAllText(file, passphrase);
        return (await host.Tools.RunAsync(
            new HostCommand(Requires.Tool("cryptsetup"), "open", "--test-passphrase", "--disable-locks", "--key-file", file, $"{host.Path}/{volume}") { AcceptedExitCodes = [0, 2] },
            Cancellation)).ExitCode;
    }
}
