using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>One document per pool type and three volumes, with what libvirt makes of them (<c>.out.xml</c>).</summary>
public sealed class DocumentTests
{
    private static readonly Guid Uuid = Guid.Parse("6f1de4c7-5b0a-4d5c-9a55-0b6b1c1f7a01");

    public static TheoryData<string> PoolTypeNames => [.. PoolTypes.All.Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(PoolTypeNames))]
    public void A_pool_document_is_read_completed_and_written_as_libvirt_does(string type)
    {
        var pool = PoolRules.Complete(PoolXml.Read(Document($"pool-{type}.xml")) with { Uuid = Uuid });
        Assert.Equal(Document($"pool-{type}.out.xml"), PoolXml.Write(pool));
    }

    [Theory]
    [MemberData(nameof(PoolTypeNames))]
    public void A_written_pool_is_read_and_gives_the_same_document(string type)
    {
        var written = Document($"pool-{type}.out.xml");
        Assert.Equal(written, PoolXml.Write(PoolRules.Complete(PoolXml.Read(written))));
    }

    [Theory]
    [MemberData(nameof(PoolTypeNames))]
    public void A_pool_in_JSON_is_the_same_pool(string type)
    {
        var written = Document($"pool-{type}.out.xml");
        var json = JsonSerializer.Serialize(PoolXml.Read(written), StorageJson.Strict);
        Assert.Equal(written, PoolXml.Write(JsonSerializer.Deserialize<PoolDefinition>(json, StorageJson.Strict)!));
    }

    [Theory]
    [MemberData(nameof(PoolTypeNames))]
    public void A_document_is_read_from_bytes_as_from_a_string(string type)
    {
        Assert.Equal(Document($"pool-{type}.out.xml"), PoolXml.Write(PoolXml.Read(File.ReadAllBytes(PathOf($"pool-{type}.out.xml")))));
    }

    [Theory]
    [InlineData(PoolType.Gluster)]
    [InlineData(PoolType.Sheepdog)]
    public void A_volume_document_is_read_completed_and_written_as_libvirt_does(PoolType pool)
    {
        var type = PoolTypes.Of(pool);
        var volume = VolumeRules.Complete(type, VolumeXml.Read(Document($"volume-{type.Name}.xml"), type), VolumePurpose.Describe);
        Assert.Equal(Document($"volume-{type.Name}.out.xml"), VolumeXml.Write(volume, type));
    }

    [Fact]
    public void A_volume_of_unknown_format_is_refused_where_volumes_have_formats()
    {
        var type = PoolTypes.Of(PoolType.Rbd);
        var error = Assert.Throws<StorageException>(() => VolumeXml.Read(Document("volume-rbd.xml"), type)).Error;
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, "volume/target/format/@type"), (error.Code, error.Field));
    }

    private static string Document(string name) => File.ReadAllText(PathOf(name));

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Xml", "Documents", name);
}
