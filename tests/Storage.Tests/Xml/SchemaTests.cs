using System.Xml.Linq;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>Strict reading: a document is held to libvirt's schema before it is judged.</summary>
public sealed class SchemaTests
{
    /// <summary>What the schema lets come more than once: an element and what it is in.</summary>
    private static readonly string[] Repeated =
        ["host", "freeExtent", "extent", "option", "encryption/secret", "volume/source/device", "logical/source/device", "logical/source/name"];

    public static TheoryData<string> Documents => [.. SchemaDocuments.Pools, SchemaDocuments.Volume];

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_with_all_that_it_may_have_is_taken(string document) => Assert.Null(Violation(document));

    [Theory]
    [MemberData(nameof(Documents))]
    public void An_element_takes_no_attribute_that_is_not_in_the_schema(string document) => Assert.All(
        SchemaDocuments.EachChanged(document, _ => true, element => element.SetAttributeValue("bogus", "")),
        changed => AssertRefused(changed, ErrorCodes.UnknownField, "/@bogus"));

    [Theory]
    [MemberData(nameof(Documents))]
    public void An_attribute_in_a_namespace_is_not_in_the_schema(string document) => Assert.All(
        SchemaDocuments.EachChanged(document, _ => true, element => element.SetAttributeValue(XNamespace.Xml + "name", "a")),
        changed => AssertRefused(changed, ErrorCodes.UnknownField, "/@xml:name"));

    [Theory]
    [MemberData(nameof(Documents))]
    public void An_element_takes_no_element_that_is_not_in_the_schema(string document) => Assert.All(
        SchemaDocuments.EachChanged(document, _ => true, element => element.AddFirst(new XElement("bogus"))),
        changed => AssertRefused(changed, ErrorCodes.UnknownField, "/bogus"));

    [Theory]
    [MemberData(nameof(Documents))]
    public void An_element_of_another_namespace_is_not_in_the_schema(string document) => Assert.All(
        SchemaDocuments.EachChanged(document, element => element.Parent is not null, element => element.Name = XName.Get(element.Name.LocalName, "urn:other")),
        changed => AssertRefused(changed, ErrorCodes.UnknownField, ""));

    [Theory]
    [MemberData(nameof(Documents))]
    public void Elements_that_hold_elements_or_nothing_take_blanks_and_no_other_text(string document)
    {
        Assert.All(
            SchemaDocuments.EachChanged(document, HasNoText, element => element.Add("\n \t")),
            changed => Assert.Null(Violation(changed)));
        Assert.All(
            SchemaDocuments.EachChanged(document, HasNoText, element => element.Add("\u00A0")),
            changed => AssertRefused(changed, ErrorCodes.SchemaViolation, ""));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void An_element_that_the_schema_does_not_repeat_is_refused_the_second_time(string document)
    {
        Assert.All(
            SchemaDocuments.EachChanged(document, IsRepeated, element => element.AddAfterSelf(element)),
            changed => Assert.Null(Violation(changed)));
        Assert.All(
            SchemaDocuments.EachChanged(document, element => element.Parent is not null && !IsRepeated(element), element => element.AddAfterSelf(element)),
            changed => AssertRefused(changed, ErrorCodes.SchemaViolation, "[2]"));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Children_come_in_any_order(string document) => Assert.All(
        SchemaDocuments.EachChanged(
            document,
            element => element.HasElements && !document.StartsWith("<pool type='fs'", StringComparison.Ordinal),
            element => element.ReplaceNodes(element.Elements().Reverse().ToArray())),
        changed => Assert.Null(Violation(changed)));

    [Theory]
    [InlineData("<pool type='dir' colour='red'/>", "pool/@colour")]
    [InlineData("<pool type='dir'><size/></pool>", "pool/size")]
    [InlineData("<pool type='dir'><name lang='en'>p</name></pool>", "pool/name/@lang")]
    [InlineData("<pool type='dir'><name>p</name><source><host name='a'/></source></pool>", "pool/source/host")]
    [InlineData("<pool type='rbd'><target><path>/t</path></target></pool>", "pool/target")]
    [InlineData("<pool type='netfs'><source><host name='a'/><host name='b' weight='1'/></source></pool>", "pool/source/host[2]/@weight")]
    [InlineData("<pool type='dir' xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'><fs:mount_opts/></pool>", "pool/fs:mount_opts")]
    [InlineData("<pool type='netfs'><source><format type='cifs'/><protocol ver='3'/></source></pool>", "pool/source/protocol")]
    [InlineData("<pool type='iscsi-direct'><source><vendor name='v'/></source></pool>", "pool/source/vendor")]
    [InlineData("<pool type='iscsi-direct'><source><device path='iqn.2026-01.a' part_separator='no'/></source></pool>", "pool/source/device/@part_separator")]
    [InlineData("<pool type='iscsi'><source><auth type='chap' username='u'><secret type='iscsi' usage='s'/></auth></source></pool>", "pool/source/auth/secret/@type")]
    [InlineData("<pool type='scsi'><source><adapter name='host0' wwnn='20000000c9831b4b'/></source></pool>", "pool/source/adapter/@wwnn")]
    [InlineData("<pool type='fs'><refresh/></pool>", "pool/refresh")]
    [InlineData("<pool type='dir'><name>p<b/></name></pool>", "pool/name/b")]
    [InlineData("<volume><name>a</name><owner/></volume>", "volume/owner")]
    [InlineData("<volume><name>a</name><target><format type='raw' version='2'/></target></volume>", "volume/target/format/@version")]
    [InlineData("<volume><name>a</name><target><features><data_file/></features></target></volume>", "volume/target/features/data_file")]
    public void A_strict_reader_refuses_what_it_does_not_know(string document, string field)
    {
        Assert.Equal((ErrorCodes.UnknownField, field), Violation(document));
    }

    [Theory]
    [InlineData("<pool type='tape' a='b'><c/></pool>", ErrorCodes.SchemaViolation, "pool/@type")]
    [InlineData("<pool a='b' type='tape'><c/></pool>", ErrorCodes.UnknownField, "pool/@a")]
    [InlineData("<pool type='dir'>x<a/></pool>", ErrorCodes.SchemaViolation, "pool")]
    [InlineData("<pool type='dir'><uuid>0</uuid><a/></pool>", ErrorCodes.SchemaViolation, "pool/uuid")]
    [InlineData("<pool type='dir'><a/><uuid>0</uuid></pool>", ErrorCodes.UnknownField, "pool/a")]
    [InlineData("<pool type='netfs'><source><host port='x'/></source></pool>", ErrorCodes.SchemaViolation, "pool/source/host/@port")]
    [InlineData("<pool type='netfs'><source><host port='1'><a/></host></source></pool>", ErrorCodes.SchemaViolation, "pool/source/host/@name")]
    [InlineData("<pool type='netfs'><source><host name='a'/></source><b/></pool>", ErrorCodes.SchemaViolation, "pool/source/dir")]
    public void Of_several_violations_the_first_in_the_document_is_named(string document, string code, string field) =>
        Assert.Equal((code, field), Violation(document));

    [Fact]
    public void The_schema_is_held_against_a_document_before_it_is_judged()
    {
        const string document = "<volume><name>a</name><capacity unit='furlong'>1</capacity></volume>";
        var dir = PoolTypes.Of(PoolType.Dir);
        Assert.Equal(ErrorCodes.InvalidArgument, Assert.Throws<StorageException>(() => VolumeXml.Read(document, dir)).Error.Code);
        Assert.Equal((ErrorCodes.SchemaViolation, "volume/capacity/@unit"), Violation(document));
    }

    [Fact]
    public void Mount_options_come_last_in_an_fs_pool_and_anywhere_in_a_netfs_pool()
    {
        const string end = "<name>p</name>" + SchemaDocuments.Target + "</pool>";
        const string options = " xmlns:m='http://libvirt.org/schemas/storagepool/fs/1.0'><m:mount_opts><m:option name='ro'/></m:mount_opts>";
        Assert.Equal(
            (ErrorCodes.SchemaViolation, "pool/m:mount_opts"), Violation($"<pool type='fs'{options}<source><device path='/d'/></source>{end}"));
        Assert.Null(Violation($"<pool type='netfs'{options}<source><host name='a'/><dir path='/d'/></source>{end}"));
    }

    [Theory]
    [InlineData("luks")]
    [InlineData("unknown")]
    [InlineData("ext4")]
    public void A_format_that_the_schema_knows_and_volumes_do_not_have_is_refused_by_the_rules(string format)
    {
        var document = $"<volume><name>a</name><capacity>1</capacity><target><format type='{format}'/></target></volume>";
        var error = Assert.Throws<StorageException>(() => VolumeXml.Read(document, PoolTypes.Of(PoolType.Dir), strict: true)).Error;
        Assert.Equal(ErrorCodes.UnsupportedConfiguration, error.Code);
    }

    [Theory]
    [InlineData("<pool type='logical'><source/><target/></pool>")]
    [InlineData("<pool type='rbd'><source><name/><host name='a'/></source></pool>")]
    [InlineData("<pool type='scsi'><name>p</name><source><adapter><parentaddr><address/></parentaddr></adapter></source><target><path>/t</path></target></pool>")]
    [InlineData("<pool type='mpath'><name>p</name><target><path>/t</path></target></pool>")]
    [InlineData("<pool type='zfs'><source><name>z</name></source></pool>")]
    [InlineData("<volume><name>a</name><physical>1</physical><target/></volume>")]
    [InlineData("<volume><name>a</name><source/><target><encryption format='luks'/></target></volume>")]
    public void What_the_schema_does_not_require_may_be_missing(string document) => Assert.Null(Violation(document));

    [Fact]
    public void A_source_that_begins_a_search_is_held_to_the_schema_of_its_type_and_may_be_short_of_everything()
    {
        var netfs = PoolTypes.Of(PoolType.Netfs);
        Assert.Equal("a", PoolSourceXml.Read("<source><host name='a'/></source>", netfs, strict: true).Hosts[0].Name);
        Assert.Empty(PoolSourceXml.Read("<source/>", netfs, strict: true).Hosts);
        var unknown = Assert.Throws<StorageException>(() => PoolSourceXml.Read("<source><name>a</name></source>", netfs, strict: true)).Error;
        Assert.Equal((ErrorCodes.UnknownField, "source/name"), (unknown.Code, unknown.Field));
        var missing = Assert.Throws<StorageException>(() => PoolSourceXml.Read("<source><host/></source>", netfs, strict: true)).Error;
        Assert.Equal((ErrorCodes.SchemaViolation, "source/host/@name"), (missing.Code, missing.Field));
    }

    /// <summary>How a document is against the schema; null when it is not, whatever else is wrong with it.</summary>
    internal static (string Code, string? Field)? Violation(string document)
    {
        try
        {
            if (document.StartsWith("<volume", StringComparison.Ordinal))
                VolumeXml.Read(document, PoolTypes.Of(PoolType.Dir), strict: true);
            else
                PoolXml.Read(document, strict: true);
            return null;
        }
        catch (StorageException e)
        {
            const int invalidSchema = 92;
            return ErrorCodes.All[e.Error.Code].LibvirtNumber == invalidSchema ? (e.Error.Code, e.Error.Field) : null;
        }
    }

    private static void AssertRefused(string document, string code, string fieldEnd)
    {
        var violation = Violation(document);
        Assert.True(violation is not null, document);
        Assert.Equal(code, violation.Value.Code);
        Assert.EndsWith(fieldEnd, violation.Value.Field, StringComparison.Ordinal);
    }

    private static bool HasNoText(XElement element) => string.IsNullOrWhiteSpace(string.Concat(element.Nodes().OfType<XText>().Select(text => text.Value)));

    private static bool IsRepeated(XElement element)
    {
        var names = element.AncestorsAndSelf().Reverse().Select(node => node.Name.LocalName == "pool" ? node.Attribute("type")!.Value : node.Name.LocalName);
        var path = "/" + string.Join('/', names);
        return Repeated.Any(end => path.EndsWith("/" + end, StringComparison.Ordinal));
    }
}
