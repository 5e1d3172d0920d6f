using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>The endpoints of secrets, in one process that has made its key by itself.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class SecretEndpointTests(StandaloneFixture fixture) : IClassFixture<StandaloneFixture>
{
    private static readonly byte[] Value = "correct horse battery staple"u8.ToArray();

    private StorageClient Client => fixture.Standalone.Client;

    [Fact]
    public async Task A_secret_is_made_listed_given_a_value_and_removed_and_never_shown()
    {
        var made = (await Client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage = "/srv/a b", value = Value })).OrThrow();
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var uuid = made.Body.GetProperty("uuid").GetString();
        Assert.Equal($"/v1/secrets/{uuid}", made.Location!.ToString());
        await PutAsync("%2Fsrv%2Fa%20b", new byte[64 << 10]);
        var (one, list) = (await Client.GetAsync($"/v1/secrets/{uuid}"), await Client.ReadAllAsync("/v1/secrets", limit: 1));
        Assert.True(one.Body.GetProperty("hasValue").GetBoolean());
        Assert.Contains(list, secret => secret.GetProperty("uuid").GetString() == uuid);
        Assert.All(list.Append(one.Body).Append(made.Body), secret => Assert.False(secret.TryGetProperty("value", out _)));
        Assert.Equal(HttpStatusCode.NoContent, (await Client.SendAsync(HttpMethod.Delete, $"/v1/secrets/{uuid}")).Status);
        Assert.Equal("secret-not-found", await CodeAsync(HttpMethod.Get, $"/v1/secrets/{uuid}"));
    }

    [Fact]
    public async Task The_keys_say_which_one_encrypts_how_many()
    {
        (await Client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage = "counted", value = Value })).OrThrow();
        var key = Assert.Single((await Client.ReadAsync("/v1/secret-keys")).EnumerateArray());
        Assert.True(key.GetProperty("current").GetBoolean() && key.GetProperty("available").GetBoolean());
        var under = await Client.ReadAllAsync($"/v1/secrets?keyId={key.GetProperty("id").GetString()}");
        Assert.Equal(key.GetProperty("secrets").GetInt32(), under.Count);
    }

    [Fact]
    public async Task The_key_is_for_its_owner_alone_and_the_value_in_no_file()
    {
        (await Client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage = "kept", value = Value })).OrThrow();
        var data = Path.Combine(fixture.Standalone.Folder, "data");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(data, "secrets.key")));
        foreach (var file in Directory.EnumerateFiles(data, "ledger.db*").Append(fixture.Standalone.Process.LogFile))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content, TestContext.Current.CancellationToken);
            Assert.Equal(-1, content.ToArray().AsSpan().IndexOf(Value));
            Assert.Equal(-1, content.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(Value))));
        }
    }

    [Fact]
    public async Task What_cannot_be_a_secret_is_refused()
    {
        (await Client.SendAsync(HttpMethod.Post, "/v1/secrets", new { usage = "taken" })).OrThrow();
        Assert.Equal("secret-exists", await CodeAsync(HttpMethod.Post, "/v1/secrets", new { usage = "taken" }));
        Assert.Equal("invalid-document", await CodeAsync(HttpMethod.Post, "/v1/secrets", new { usage = "b", value = "no base64!" }));
        Assert.Equal("unknown-field", await CodeAsync(HttpMethod.Post, "/v1/secrets", new { usage = "b", passphrase = "x" }));
        Assert.Equal("too-large", await CodeAsync(HttpMethod.Put, "/v1/secrets/taken/value", Content(new byte[(64 << 10) + 1])));
        Assert.Equal("invalid-argument", await CodeAsync(HttpMethod.Put, "/v1/secrets/taken/value", Content([])));
        Assert.Equal("unsupported-media-type", await CodeAsync(HttpMethod.Put, "/v1/secrets/taken/value", new { value = "x" }));
        Assert.Equal("secret-not-found", await CodeAsync(HttpMethod.Put, "/v1/secrets/nobody/value", Content([1])));
    }

    private static ByteArrayContent Content(byte[] value) =>
        new(value) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    private async Task PutAsync(string secret, byte[] value) => (await Client.SendAsync(HttpMethod.Put, $"/v1/secrets/{secret}/value", Content(value))).OrThrow();

    private async Task<string?> CodeAsync(HttpMethod method, string path, object? body = null) =>
        (await Client.SendAsync(method, path, body)).Body.GetProperty("code").GetString();
}
