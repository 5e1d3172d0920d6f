using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class HostileXmlTests
{
    [Theory]
    [InlineData("<!DOCTYPE pool><pool type='dir'><name>p</name></pool>")]
    [InlineData("<!DOCTYPE pool [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><pool type='dir'><name>&e;</name></pool>")]
    [InlineData("<!DOCTYPE pool [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><pool type='dir'><name>&b;</name></pool>")]
    [InlineData("<pool type='dir'><name>p</name>")]
    [InlineData("<pool type='dir'><name>p</pool></name>")]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("{\"type\":\"dir\"}")]
    public void A_document_that_is_no_plain_xml_is_refused(string document) => Assert.Equal(
        ErrorCodes.InvalidDocument, Assert.Throws<StorageException>(() => PoolXml.Read(document)).Error.Code);

    [Theory]
    [InlineData("<volume><name>p</name></volume>")]
    [InlineData("<pools type='dir'/>")]
    public void Another_root_is_refused(string document) => Assert.Throws<StorageException>(() => PoolXml.Read(document));

    [Fact]
    public void A_document_that_is_too_large_or_too_deep_is_refused()
    {
        Assert.Throws<StorageException>(() => PoolXml.Read($"<pool type='dir'><name>{new string('x', 2 << 20)}</name></pool>"));
        var deep = string.Concat(Enumerable.Repeat("<a>", 5000)) + string.Concat(Enumerable.Repeat("</a>", 5000));
        Assert.Throws<StorageException>(() => PoolXml.Read($"<pool type='dir'>{deep}</pool>"));
    }

    [Fact]
    public void What_is_unknown_is_passed_over_and_in_strict_reading_refused_with_its_path()
    {
        const string document = "<pool type='dir'><name>p</name><target><path>/p</path><depth>1</depth></target></pool>";
        Assert.Equal("/p", PoolXml.Read(document).Target.Path);
        var error = Assert.Throws<StorageException>(() => PoolXml.Read(document, strict: true)).Error;
        Assert.Equal(ErrorCodes.UnknownField, error.Code);
        Assert.Contains("depth", error.Field, StringComparison.Ordinal);
    }
}
