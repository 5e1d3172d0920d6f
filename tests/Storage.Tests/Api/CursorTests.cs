using System.Buffers.Text;
using System.Text;
using Storage.Api;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class CursorTests
{
    [Theory]
    [InlineData("a", "")]
    [InlineData("b\u00e4ume \"1\"", "host-1.example")]
    public void A_cursor_gives_back_its_key(string name, string host) =>
        Assert.Equal([name, host], Cursor.Read(Cursor.Write("pools", name, host), "pools", 2)!);

    [Fact]
    public void No_cursor_is_the_first_page() => Assert.Null(Cursor.Read(null, "pools", 2));

    [Fact]
    public void A_cursor_of_another_list_is_refused() => AssertRefused(Cursor.Write("volumes", "a", "b"));

    [Theory]
    [InlineData("")]
    [InlineData("%%%")]
    [InlineData("abc")]
    public void What_is_no_cursor_is_refused(string cursor) => AssertRefused(cursor);

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[\"pools\"]")]
    [InlineData("[\"pools\",\"a\",null]")]
    [InlineData("[\"pools\",\"a\",\"b\",\"c\"]")]
    public void A_made_up_cursor_is_refused(string json) => AssertRefused(Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData(null, 100)]
    [InlineData(1, 1)]
    [InlineData(1000, 1000)]
    public void A_limit_has_a_default(int? limit, int count) => Assert.Equal(count, PageLimit.Check(limit));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1001)]
    public void A_limit_out_of_bounds_is_refused(int limit) =>
        Assert.Equal("limit", Assert.Throws<StorageException>(() => PageLimit.Check(limit)).Error.Field);

    private static void AssertRefused(string cursor) =>
        Assert.Equal("cursor", Assert.Throws<StorageException>(() => Cursor.Read(cursor, "pools", 2)).Error.Field);
}
