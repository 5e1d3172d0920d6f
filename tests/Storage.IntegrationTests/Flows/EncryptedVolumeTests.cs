using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Encrypted volumes over HTTP, made by real workers: what a passphrase that does not fit comes to.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class EncryptedVolumeTests(TestBackends backends) : IDisposable
{
    private const int MiB = 1 << 20;
    private const string Passphrase = "correct horse";

    private readonly string folder = Directory.CreateTempSubdirectory("encrypted-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_LUKS_2_volume_is_made_resized_and_copied_with_its_own_passphrase_alone()
    {
        Requires.Tool("cryptsetup");
        await using var fleet = await StartAsync();
        var (client, path) = (fleet.Client, await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("safe"));
        await client.PostAsync("/v1/pools/safe/volumes", Volume("v", "luks2", "disk"));
        Assert.Equal(("luks2", MiB), Seen(await client.ReadAsync("/v1/pools/safe/volumes/v")));
        await client.PostAsync("/v1/pools/safe/volumes/v/resize", new { capacity = 3 * MiB });
        Assert.Equal(("luks2", 3 * MiB), Seen(await client.ReadAsync("/v1/pools/safe/volumes/v")));
        await client.PostAsync("/v1/pools/safe/volumes/v/clone", new { name = "copy", capacity = 4 * MiB, encryption = Encryption("luks2", "disk") });
        Assert.Equal(("luks2", 4 * MiB), Seen(await client.ReadAsync("/v1/pools/safe/volumes/copy")));
        foreach (var volume in new[] { "v", "copy" })
            Assert.Equal((0, 2), (await OpenAsync($"{path}/{volume}", Passphrase), await OpenAsync($"{path}/{volume}", "wrong")));

        var refused = await RefusedAsync(client, "/v1/pools/safe/volumes/v/clone", new { name = "more", encryption = Encryption("luks2", "other") });
        Assert.Equal(("secret-wrong", "encryption.secrets"), refused);
        Assert.Equal(["copy", "v"], StorageUnderTest.FilesIn(path));
    }

    [Fact]
    public async Task A_wrong_passphrase_changes_nothing_and_another_one_can_be_tried()
    {
        Requires.Tool("qemu-img");
        await using var fleet = await StartAsync();
        var client = fleet.Client;
        await new StorageUnderTest(client, fleet.PoolPath).RunningPoolAsync("safe");
        await client.PostAsync("/v1/pools/safe/volumes", Volume("v", "luks", "disk"));
        var refused = await RefusedAsync(client, "/v1/pools/safe/volumes/v/resize", new { capacity = 2 * MiB, secret = new { usage = "other" } });
        Assert.Equal(("secret-wrong", "secret"), refused);
        Assert.Equal(("luks", MiB), Seen(await client.ReadAsync("/v1/pools/safe/volumes/v")));
        await client.PostAsync("/v1/pools/safe/volumes/v/resize", new { capacity = 2 * MiB, secret = new { usage = "disk" } });
        Assert.Equal(("luks", 2 * MiB), Seen(await client.ReadAsync("/v1/pools/safe/volumes/v")));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A fleet with a key, and two secrets.</summary>
    private async Task<Fleet> StartAsync()
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var fleet = await Fleet.StartAsync(backends, new FleetLayout
        {
            EnvironmentOf = name => name == "api" ? new Dictionary<string, string> { ["Secrets__Key"] = key } : new(),
        });
        foreach (var (usage, value) in new[] { ("disk", Passphrase), ("other", "battery staple") })
            (await fleet.Client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage, value = Encoding.UTF8.GetBytes(value) })).OrThrow();
        return fleet;
    }

    private static object Volume(string name, string format, string usage) =>
        new { name, format = "raw", capacity = MiB, allocation = 0, encryption = Encryption(format, usage) };

    private static object Encryption(string format, string usage) => new { format, secrets = new[] { new { usage, type = "passphrase" } } };

    private static (string?, int) Seen(JsonElement volume) =>
        (volume.GetProperty("encryption").GetProperty("format").GetString(), volume.GetProperty("capacity").GetInt32());

    private static async Task<(string?, string?)> RefusedAsync(StorageClient client, string path, object body)
    {
        var error = (await client.EndOfAsync(await client.SubmitAsync(HttpMethod.Post, path, body))).GetProperty("error");
        return (error.GetProperty("code").GetString(), error.GetProperty("field").GetString());
    }

    /// <returns>cryptsetup's exit code: 2 where the passphrase is none of the volume's.</returns>
    private async Task<int> OpenAsync(string volume, string passphrase)
    {
        var file = Path.Combine(folder, "passphrase");
        await File.WriteAllTextAsync(file, passphrase, Cancellation);
        using var open = Process.Start(new ProcessStartInfo("cryptsetup", ["open", "--test-passphrase", "--disable-locks", "--key-file", file, volume]))!;
        await open.WaitForExitAsync(Cancellation);
        return open.ExitCode;
    }
}
