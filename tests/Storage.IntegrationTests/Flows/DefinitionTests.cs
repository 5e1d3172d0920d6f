using System.Net;
using System.Text.Json;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>Definitions that people check, and what the service says of itself in libvirt's XML.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class DefinitionTests(StandaloneFixture fixture) : IClassFixture<StandaloneFixture>
{
    private const string Pool = """
        <pool type='logical'>
          <uuid>6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01</uuid>
          <source><name>vg0</name><device path='/dev/vdb'/></source>
        </pool>
        """;

    private const string CompletedPool = """
        <pool type='logical'>
          <name>vg0</name>
          <uuid>6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01</uuid>
          <capacity unit='bytes'>0</capacity>
          <allocation unit='bytes'>0</allocation>
          <available unit='bytes'>0</available>
          <source>
            <device path='/dev/vdb'/>
            <name>vg0</name>
            <format type='lvm2'/>
          </source>
          <target>
            <path>/dev/vg0</path>
          </target>
        </pool>

        """;

    private const string Encrypted = "<volume><name>a</name><capacity unit='KiB'>4</capacity><target><format type='qcow2'/><encryption format='qcow'/></target></volume>";

    private StorageClient Client => fixture.Standalone.Client;

    [Fact]
    public async Task A_pool_definition_is_given_back_completed_and_nothing_is_accepted()
    {
        var events = (await Client.ReadEventsAsync()).Count;
        Assert.Equal(CompletedPool.ReplaceLineEndings("\n"), (await AskAsync("pool", Pool)).OrThrow().Text);
        var json = (await Client.SendAsync(HttpMethod.Post, "/v1/definitions/pool", StorageClient.Xml(Pool))).OrThrow().Body;
        Assert.Equal("/dev/vg0", json.GetProperty("target").GetProperty("path").GetString());
        Assert.Equal(CompletedPool.ReplaceLineEndings("\n"), (await AskAsync("pool", json)).OrThrow().Text);
        Assert.Equal(events, (await Client.ReadEventsAsync()).Count);
    }

    [Fact]
    public async Task A_pool_definition_without_a_uuid_gets_one()
    {
        var json = (await Client.SendAsync(HttpMethod.Post, "/v1/definitions/pool", new { type = "mpath", name = "m", target = new { path = "/dev/mapper" } })).OrThrow().Body;
        Assert.NotEqual(Guid.Empty, json.GetProperty("uuid").GetGuid());
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("&purpose=describe", null)]
    [InlineData("&purpose=create", "volume/target/encryption/@format")]
    [InlineData("&purpose=clone", "volume/target/encryption/@format")]
    public async Task A_volume_definition_is_judged_for_what_it_is_for(string purpose, string? field)
    {
        var answer = await AskAsync($"volume?poolType=dir{purpose}", Encrypted);
        Assert.Equal(field is null, answer.Succeeded);
        if (field is null)
            Assert.Contains("<capacity unit='bytes'>4096</capacity>", answer.Text, StringComparison.Ordinal);
        else
            Assert.Equal(field, answer.Body.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("volume?poolType=dir", "<volume><name>a</name><capacity>1</capacity><owner/></volume>", "volume/owner")]
    [InlineData("pool?", "<pool type='dir'><name>p</name><target><path>/t</path><depth/></target></pool>", "pool/target/depth")]
    public async Task With_validation_what_is_unknown_is_refused_with_its_path(string endpoint, string document, string field)
    {
        Assert.True((await AskAsync(endpoint, document)).Succeeded);
        var refused = await AskAsync($"{endpoint}&validate=true", document);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Equal(("unknown-field", field), (refused.Body.GetProperty("code").GetString(), refused.Body.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task What_a_host_cannot_do_is_said_with_the_reason()
    {
        var types = (await Client.ReadAsync("/v1/pool-types?host=host-a")).GetProperty("items").EnumerateArray()
            .ToDictionary(type => type.GetProperty("type").GetString()!);
        var directory = types["dir"].GetProperty("hosts")[0];
        Assert.True(directory.GetProperty("available").GetBoolean());
        Assert.Equal((true, null), Operation(directory, "CreateVolume"));
        Assert.Equal((false, "No dir pool can do this."), Operation(directory, "FindSources"));
        var iscsi = types["iscsi"].GetProperty("hosts")[0];
        Assert.Equal((false, "No scsi worker was ever heard of on this host."), (iscsi.GetProperty("available").GetBoolean(), iscsi.GetProperty("reason").GetString()));

        var xml = (await Client.GetAsync("/v1/pool-types?host=host-a", ("Accept", "application/xml"))).OrThrow();
        Assert.Equal("application/xml", xml.ContentType);
        Assert.StartsWith("<storagepoolCapabilities>\n  <pool type='dir' supported='yes'>\n    <volOptions>\n", xml.Text, StringComparison.Ordinal);
        Assert.Contains("  <pool type='zfs' supported='no'>\n  </pool>\n", xml.Text, StringComparison.Ordinal);
        Assert.Equal("unknown-host", (await Client.GetAsync("/v1/pool-types?host=nobody")).Body.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("type=netfs", "<source><host name='a b'/></source>", "invalid-definition", "source/host/@name")]
    [InlineData("type=netfs", "<sources/>", "invalid-definition", "sources")]
    [InlineData("", "<source><host name='a'/></source>", "invalid-argument", "type")]
    [InlineData("type=iscsi", "<source><host name='a'/></source>", "unknown-host", "host")]
    public async Task A_search_for_sources_reads_xml_and_refuses_what_is_wrong(string query, string document, string code, string field)
    {
        var answer = await Client.SendAsync(HttpMethod.Post, $"/v1/pool-sources?{query}", StorageClient.Xml(document));
        Assert.Equal((code, field), (answer.Body.GetProperty("code").GetString(), answer.Body.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task The_published_schema_says_how_sizes_and_modes_are_written()
    {
        var schemas = (await Client.ReadAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas");
        var capacity = schemas.GetProperty("VolumeDefinition").GetProperty("properties").GetProperty("capacity").GetProperty("oneOf");
        Assert.Equal("int64", capacity[0].GetProperty("format").GetString());
        Assert.Equal("string", capacity[1].GetProperty("type").GetString());
        Assert.Equal("^0{0,5}[0-7]{1,3}$", schemas.GetProperty("Permissions").GetProperty("properties").GetProperty("mode").GetProperty("pattern").GetString());
        Assert.Equal(14, schemas.GetProperty("PoolType").GetProperty("enum").GetArrayLength());
    }

    private Task<Answer> AskAsync(string what, object document) => Client.SendAsync(
        HttpMethod.Post, $"/v1/definitions/{what}", document is string xml ? StorageClient.Xml(xml) : document, headers: ("Accept", "application/xml"));

    private static (bool Available, string? Reason) Operation(JsonElement host, string name)
    {
        var operation = host.GetProperty("operations").EnumerateArray().Single(row => row.GetProperty("operation").GetString() == name);
        return (operation.GetProperty("available").GetBoolean(), operation.TryGetProperty("reason", out var reason) ? reason.GetString() : null);
    }
}
