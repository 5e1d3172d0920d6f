using System.Text;
using CsCheck;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>Documents that are well formed and nonsense: the parser lets them through, and the readers and rules must judge them.</summary>
public sealed class XmlFuzzTests
{
    private const int Cases = 3000;

    private static readonly string[] Nonsense =
    [
        "", " ", "-1", "0", "08", "0x", "0xFFFFFFFFFFFFFFFFFF", "4294967295", "99999999999999999999999", "yes", "../..", "/", "\u2028", "&#x85;", "&amp;lt;",
        "<![CDATA[<x/>]]>", "<name/>", "<path>/x</path><path/>", "<host/><host name=''/>", "<secret/>", "<address bus='-'/>", "<option/>",
    ];

    private static readonly Gen<string> Text = Gen.Select(
        Gen.OneOf(Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Xml", "Documents"), "*.xml")).Select(File.ReadAllText),
        Gen.Select(Gen.Int[0, 10_000], Gen.OneOf(Nonsense)).Array[1, 4],
        (document, changes) => changes.Aggregate(document, Change));

    private static readonly Gen<byte[]> Prefix = Gen.OneOf<byte[]>(
        [], [0xFF, 0xFE], [0xFE, 0xFF], [0xFF, 0xFE, 0, 0], Declaration("utf-7"), Declaration("utf-32"), Declaration("none"));

    [Fact]
    public void Reading_and_judging_a_document_ends_in_a_definition_or_in_our_own_error() => Text.Sample(
        document =>
        {
            foreach (var type in (PoolTypeInfo[])[PoolTypes.Of(PoolType.Dir), PoolTypes.Of(PoolType.Logical)])
            {
                Attempt(() => PoolRules.Complete(PoolXml.Read(document)));
                Attempt(() => VolumeRules.Complete(type, VolumeXml.Read(document, type), VolumePurpose.Describe));
                Attempt(() => PoolXml.Read(document, strict: true));
                Attempt(() => VolumeXml.Read(document, type, strict: true));
                Attempt(() => PoolSourceXml.Read(document, type, strict: true));
            }
        },
        iter: Cases);

    [Fact]
    public void Bytes_that_are_no_document_are_refused_whatever_encoding_they_claim() => Gen.Select(Prefix, Gen.Byte.Array[0, 40]).Sample(
        (prefix, bytes) =>
        {
            Assert.Throws<StorageException>(() => PoolXml.Read((byte[])[.. prefix, .. bytes]));
        },
        iter: Cases);

    private static byte[] Declaration(string encoding) => Encoding.ASCII.GetBytes($"<?xml version='1.0' encoding='{encoding}'?><pool type='dir'>");

    private static void Attempt(Func<object> read)
    {
        try
        {
            read();
        }
        catch (StorageException e)
        {
            Assert.Contains(e.Error.Code, ErrorCodes.All.Keys);
        }
    }

    /// <summary>Puts nonsense in the place of one attribute's value or one element's content.</summary>
    private static string Change(string document, (int At, string Nonsense) change)
    {
        var open = document.IndexOfAny(['\'', '"', '>'], change.At % document.Length);
        if (open < 0)
            return document;
        var close = document.IndexOf(document[open] == '>' ? '<' : document[open], open + 1);
        if (close < 0)
            return document;
        var nonsense = document[open] == '>' ? change.Nonsense : change.Nonsense.Replace("<", "&lt;", StringComparison.Ordinal).Replace('\'', '.');
        return document[..(open + 1)] + nonsense + document[close..];
    }
}
