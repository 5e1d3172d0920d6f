using System.Text;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Bad input never reaches the host: each row is refused with a code and the field at fault, and the disk stays as it was.</summary>
public abstract class BadInputFlows(StorageUnderTest storage) : IAsyncLifetime
{
    private const string Pool = "bad-input";
    private static readonly SemaphoreSlim Once = new(1);

    public static TheoryData<string, string, string, string> Names()
    {
        var data = new TheoryData<string, string, string, string>();
        foreach (var (what, name) in new[]
        {
            ("a slash", "a/b"), ("the parent", ".."), ("the directory itself", "."), ("a newline", "a\nb"), ("a control character", "a\u0001b"),
            ("a leading dash", "-rf"), ("256 bytes", new string('x', 256)), ("256 bytes of two-byte letters", new string('é', 128)), ("nothing", ""),
        })
            data.Add(what, name, "name", "invalid-definition");
        return data;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_volume_name_is_refused(string what, string name, string field, string code) =>
        await RefusedAsync($"volume name with {what}", $"/v1/pools/{Pool}/volumes", new { name, capacity = 1 }, field, code);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_pool_name_is_refused(string what, string name, string field, string code) =>
        await RefusedAsync($"pool name with {what}", "/v1/pools", new { type = "dir", name, target = new { path = storage.PoolPath("x") } }, field, code);

    [Theory]
    [InlineData("relative/path")]
    [InlineData("/srv/../etc")]
    [InlineData("/srv/..")]
    [InlineData("/")]
    [InlineData("/srv/a\nb")]
    [InlineData(null)]
    public async Task A_target_path_is_refused(string? path) =>
        await RefusedAsync($"path {path}", "/v1/pools", new { type = "dir", name = "p", target = new { path } }, "target.path", "invalid-definition");

    [Theory]
    [InlineData("{\"name\":\"v\",\"capacity\":-1}", "capacity", "invalid-document")]
    [InlineData("{\"name\":\"v\",\"capacity\":9223372036854775808}", "capacity", "invalid-document")]
    [InlineData("{\"name\":\"v\",\"capacity\":\"1 parsec\"}", "capacity", "invalid-argument")]
    [InlineData("{\"name\":\"v\",\"capacity\":\"9 EiB\"}", "capacity", "overflow")]
    [InlineData("{\"name\":\"v\",\"capacity\":true}", "capacity", "invalid-document")]
    [InlineData("{\"name\":\"v\"}", "capacity", "invalid-definition")]
    [InlineData("{\"capacity\":1}", "name", "invalid-definition")]
    [InlineData("{\"name\":\"v\",\"capacity\":1,\"format\":\"floppy\"}", "format", "unsupported-configuration")]
    [InlineData("{\"name\":\"v\",\"capacity\":1,\"colour\":\"red\"}", "colour", "unknown-field")]
    [InlineData("{\"name\":\"v\",\"capacity\":1,", null, "invalid-document")]
    [InlineData("[]", null, "invalid-argument")]
    [InlineData("\"v\"", null, "invalid-document")]
    [InlineData("", null, "invalid-document")]
    public async Task A_volume_is_refused_as_json(string json, string? field, string code) =>
        await RefusedAsync(json, $"/v1/pools/{Pool}/volumes", new StringContent(json, Encoding.UTF8, "application/json"), field, code);

    [Theory]
    [InlineData("{\"type\":\"tape\",\"name\":\"p\",\"target\":{\"path\":\"/x\"}}", "type", null)]
    [InlineData("{\"type\":\"dir\",\"name\":\"p\",\"target\":{\"path\":\"/x\",\"depth\":1}}", "target.depth", "unknown-field")]
    [InlineData("{\"type\":\"dir\",\"name\":\"p\",\"uuid\":\"zzz\",\"target\":{\"path\":\"/x\"}}", "uuid", "invalid-document")]
    public async Task A_pool_is_refused_as_json(string json, string field, string? code) =>
        await RefusedAsync(json, "/v1/pools", new StringContent(json, Encoding.UTF8, "application/json"), field, code);

    [Theory]
    [InlineData("<!DOCTYPE pool><pool type='dir'><name>p</name><target><path>/x</path></target></pool>")]
    [InlineData("<!DOCTYPE pool [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><pool type='dir'><name>&e;</name><target><path>/x</path></target></pool>")]
    [InlineData("<pool type='dir'><name>p</name>")]
    [InlineData("<volume><name>p</name></volume>")]
    [InlineData("<pool type='tape'><name>p</name></pool>")]
    [InlineData("<pool><name>p</name></pool>")]
    [InlineData("<pool type='dir'><target><path>/x</path></target></pool>")]
    [InlineData("not xml")]
    public async Task A_pool_is_refused_as_xml(string xml) =>
        await RefusedAsync(xml, "/v1/pools", StorageClient.Xml(xml), null, null);

    [Fact]
    public async Task A_document_of_ten_megabytes_is_refused()
    {
        var xml = StorageClient.Xml($"<pool type='dir'><name>{new string('x', 10 << 20)}</name></pool>");
        await RefusedAsync("10 MB of XML", "/v1/pools", xml, null, null, ("Expect", "100-continue"));
    }

    [Theory]
    [InlineData("volumes/taken/wipe")]
    [InlineData("refresh")]
    public async Task A_body_is_refused_where_it_would_not_be_read(string verb) =>
        await RefusedAsync($"body of {verb}", $"/v1/pools/{Pool}/{verb}", new { algorithm = "gutmann" }, "body", "invalid-argument");

    [Fact]
    public async Task An_unknown_host_is_refused() => await RefusedAsync(
        "host mars", "/v1/pools?host=mars", new { type = "dir", name = "p", target = new { path = storage.PoolPath("p") } }, "host", "unknown-host");

    [Fact]
    public async Task A_taken_name_uuid_or_target_path_is_refused()
    {
        var taken = await storage.Client.ReadAsync($"/v1/pools/{Pool}");
        var path = taken.GetProperty("definition").GetProperty("target").GetProperty("path").GetString();
        var uuid = taken.GetProperty("id").GetGuid();
        await RefusedAsync("same name", "/v1/pools", new { type = "dir", name = Pool, uuid = Guid.NewGuid(), target = new { path } }, "name", "pool-exists");
        await RefusedAsync("same uuid", "/v1/pools", new { type = "dir", name = "other", uuid, target = new { path = path + "x" } }, "uuid", "pool-exists");
        await RefusedAsync("same path", "/v1/pools", new { type = "dir", name = "other", target = new { path } }, "target.path", "source-conflict");
        await storage.Client.PostAsync($"/v1/pools/{Pool}/volumes", new { name = "taken", capacity = 1, allocation = 0 });
        await RefusedAsync("same volume", $"/v1/pools/{Pool}/volumes", new { name = "taken", capacity = 1 }, "name", "volume-exists");
        await storage.Client.DeleteAsync($"/v1/pools/{Pool}/volumes/taken");
    }

    public async ValueTask InitializeAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (!(await storage.Client.GetAsync($"/v1/pools/{Pool}")).Succeeded)
                await storage.RunningPoolAsync(Pool);
        }
        finally
        {
            Once.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task RefusedAsync(
        string what, string path, object body, string? field, string? code, params (string Name, string Value)[] headers)
    {
        var files = StorageUnderTest.FilesIn(storage.PoolPath(Pool));
        var pools = (await storage.Client.ReadAllAsync("/v1/pools")).Count;
        var answer = await storage.Client.SendAsync(HttpMethod.Post, path, body, wait: TimeSpan.FromSeconds(30), headers: headers);
        Assert.True((int)answer.Status is >= 400 and < 500, $"{what}: {(int)answer.Status} {answer.Text}");
        Assert.Equal("application/problem+json", answer.ContentType);
        if (code is not null)
            Assert.Equal(code, answer.Body.GetProperty("code").GetString());
        Assert.False(string.IsNullOrEmpty(answer.Body.GetProperty("code").GetString()));
        if (field is not null)
            Assert.Equal(field, answer.Body.GetProperty("field").GetString());
        Assert.Equal(files, StorageUnderTest.FilesIn(storage.PoolPath(Pool)));
        Assert.Equal(pools, (await storage.Client.ReadAllAsync("/v1/pools")).Count);
    }
}

public sealed class FleetBadInputTests(FleetFixture fixture)
    : BadInputFlows(new StorageUnderTest(fixture.Fleet.Client, fixture.Fleet.PoolPath)), IClassFixture<FleetFixture>;

[Trait(Servers.Trait, Servers.Any)]
public sealed class StandaloneBadInputTests(StandaloneFixture fixture)
    : BadInputFlows(new StorageUnderTest(fixture.Standalone.Client, fixture.Standalone.PoolPath)), IClassFixture<StandaloneFixture>;
