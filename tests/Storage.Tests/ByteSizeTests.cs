using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("512", 512)]
    [InlineData("1 KiB", 1024)]
    [InlineData("1k", 1024)]
    [InlineData("2 KB", 2000)]
    [InlineData("10GiB", 10L << 30)]
    [InlineData("3 tib", 3L << 40)]
    [InlineData("7 Bytes", 7)]
    public void A_size_is_read_with_its_unit(string text, long bytes) => Assert.Equal(bytes, ByteSize.Parse(text, "capacity"));

    [Theory]
    [InlineData("-1", ErrorCodes.InvalidDefinition)]
    [InlineData("", ErrorCodes.InvalidDefinition)]
    [InlineData("1.5 GiB", ErrorCodes.InvalidArgument)]
    [InlineData("1 XiB", ErrorCodes.InvalidArgument)]
    [InlineData("1 kibb", ErrorCodes.InvalidArgument)]
    [InlineData("9223372036854775808", ErrorCodes.Overflow)]
    [InlineData("99999999999999999999999", ErrorCodes.Overflow)]
    [InlineData("8 EiB", ErrorCodes.Overflow)]
    public void A_size_that_is_none_is_refused_with_code_and_field(string text, string code)
    {
        var error = Assert.Throws<StorageException>(() => ByteSize.Parse(text, "capacity")).Error;
        Assert.Equal((code, "capacity"), (error.Code, error.Field));
    }
}
