using System.Text;
using Storage.Api;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("""{"type":"dir","name":"a","target":{"pth":"/a"}}""", ErrorCodes.UnknownField, "target.pth")]
    [InlineData("""{"type":"dir","nmae":"a"}""", ErrorCodes.UnknownField, "nmae")]
    [InlineData("""{"type":"nope","name":"a"}""", ErrorCodes.InvalidDocument, "type")]
    [InlineData("""{"type":"dir","source":{"hosts":[{"name":"a"},{"name":"b","port":"x"}]}}""", ErrorCodes.InvalidDocument, "source.hosts[1].port")]
    [InlineData("""{"type":"dir","target":{"permissions":{"mode":640}}}""", ErrorCodes.InvalidDocument, "target.permissions.mode")]
    [InlineData("""{"name":"a"}""", ErrorCodes.InvalidDocument, "type")]
    [InlineData("""{"type":"dir","name":""", ErrorCodes.InvalidDocument, "name")]
    [InlineData("""{"type":"dir"} x""", ErrorCodes.InvalidDocument, "$")]
    [InlineData("""{"type":"dir","name":"a","NAME":"b"}""", ErrorCodes.InvalidDocument, "NAME")]
    [InlineData("null", ErrorCodes.InvalidDocument, "$")]
    [InlineData("[]", ErrorCodes.InvalidDocument, "$")]
    [InlineData("", ErrorCodes.InvalidDocument, "$")]
    public void What_is_wrong_in_a_pool_is_refused_with_its_place(string json, string code, string field)
    {
        var error = Assert.Throws<StorageException>(() => StrictJson.Read<PoolDefinition>(Encoding.UTF8.GetBytes(json))).Error;
        Assert.Equal((code, field), (error.Code, error.Field));
        Assert.DoesNotContain("System.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Storage.Contracts", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"v","capacity":"9 EiB"}""", ErrorCodes.Overflow)]
    [InlineData("""{"name":"v","capacity":"1 parsec"}""", ErrorCodes.InvalidArgument)]
    [InlineData("""{"name":"v","capacity":-1}""", ErrorCodes.InvalidDocument)]
    public void A_wrong_size_keeps_its_own_code(string json, string code)
    {
        var error = Assert.Throws<StorageException>(() => StrictJson.Read<VolumeDefinition>(Encoding.UTF8.GetBytes(json))).Error;
        Assert.Equal((code, "capacity"), (error.Code, error.Field));
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over() =>
        Assert.Equal("v", StrictJson.Read<VolumeDefinition>(Encoding.UTF8.GetBytes("\uFEFF{\"name\":\"v\"}")).Name);
}
