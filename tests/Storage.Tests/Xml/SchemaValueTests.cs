using System.Security;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>What libvirt's schema requires, and which values it takes.</summary>
public sealed class SchemaValueTests
{
    private const string Target = "<target><path>/t</path></target>";

    [Theory]
    [InlineData("<pool/>", "pool/@type")]
    [InlineData("<pool type='dir'>{t}</pool>", "pool/name")]
    [InlineData("<pool type='dir'><name>p</name></pool>", "pool/target")]
    [InlineData("<pool type='dir'><name>p</name><target/></pool>", "pool/target/path")]
    [InlineData("<pool type='dir'><name>p</name><features><cow/></features>{t}</pool>", "pool/features/cow/@state")]
    [InlineData("<pool type='fs'><name>p</name>{t}</pool>", "pool/source")]
    [InlineData("<pool type='fs'><name>p</name><source/>{t}</pool>", "pool/source/device")]
    [InlineData("<pool type='fs'><source><device/></source></pool>", "pool/source/device/@path")]
    [InlineData("<pool type='fs'><source><device path='/d'><freeExtent start='1'/></device></source></pool>", "pool/source/device/freeExtent/@end")]
    [InlineData("<pool type='fs'><source><format/></source></pool>", "pool/source/format/@type")]
    [InlineData("<pool type='netfs'><source><dir path='/d'/></source></pool>", "pool/source/host")]
    [InlineData("<pool type='netfs'><source><dir/></source></pool>", "pool/source/dir/@path")]
    [InlineData("<pool type='netfs'><source><host name='a'/></source></pool>", "pool/source/dir")]
    [InlineData("<pool type='netfs'><source><protocol/></source></pool>", "pool/source/protocol/@ver")]
    [InlineData("<pool type='logical'><source/></pool>", "pool/target")]
    [InlineData("<pool type='disk'><source><vendor/></source></pool>", "pool/source/vendor/@name")]
    [InlineData("<pool type='iscsi'><source><host name='a'/></source></pool>", "pool/source/device")]
    [InlineData("<pool type='iscsi'><source><initiator/></source></pool>", "pool/source/initiator/iqn")]
    [InlineData("<pool type='iscsi'><source><auth username='u'/></source></pool>", "pool/source/auth/@type")]
    [InlineData("<pool type='iscsi'><source><auth type='chap'/></source></pool>", "pool/source/auth/@username")]
    [InlineData("<pool type='iscsi'><source><auth type='chap' username='u'/></source></pool>", "pool/source/auth/secret")]
    [InlineData("<pool type='iscsi'><source><auth type='chap' username='u'><secret/></auth></source></pool>", "pool/source/auth/secret/@uuid")]
    [InlineData("<pool type='iscsi'><source><auth type='chap' username='u'><secret usage='a' uuid='b'/></auth></source></pool>", "pool/source/auth/secret/@uuid")]
    [InlineData("<pool type='iscsi-direct'><source><host name='a'/><device path='iqn.2026-01.a'/></source></pool>", "pool/source/initiator")]
    [InlineData("<pool type='scsi'><name>p</name><source/>{t}</pool>", "pool/source/adapter")]
    [InlineData("<pool type='scsi'><source><adapter/></source></pool>", "pool/source/adapter/@name")]
    [InlineData("<pool type='scsi'><source><adapter name='a'><parentaddr><address/></parentaddr></adapter></source></pool>", "pool/source/adapter/parentaddr")]
    [InlineData("<pool type='scsi'><source><adapter><parentaddr/></adapter></source></pool>", "pool/source/adapter/parentaddr/address")]
    [InlineData("<pool type='scsi'><source><adapter type='fc_host' wwnn='20000000c9831b4b'/></source></pool>", "pool/source/adapter/@wwpn")]
    [InlineData("<pool type='rbd'><source><host name='a'/></source></pool>", "pool/source/name")]
    [InlineData("<pool type='sheepdog'><source><name>a</name></source></pool>", "pool/source/host")]
    [InlineData("<pool type='gluster'><source><host name='a'/></source></pool>", "pool/source/name")]
    [InlineData("<pool type='zfs'><source/></pool>", "pool/source/name")]
    [InlineData("<pool type='vstorage'><source><name>a</name></source></pool>", "pool/target")]
    [InlineData("<volume><target/></volume>", "volume/name")]
    [InlineData("<volume><name>a</name></volume>", "volume/target")]
    [InlineData("<volume><name>a</name><target/><backingStore/></volume>", "volume/backingStore/path")]
    [InlineData("<volume><source><device/></source></volume>", "volume/source/device/@path")]
    [InlineData("<volume><target><encryption/></target></volume>", "volume/target/encryption/@format")]
    [InlineData("<volume><target><encryption format='luks'><secret uuid='x'/></encryption></target></volume>", "volume/target/encryption/secret/@uuid")]
    [InlineData("<volume><target><encryption format='luks'><secret usage='x'/></encryption></target></volume>", "volume/target/encryption/secret/@type")]
    [InlineData("<volume><target><encryption format='luks'><cipher name='a' size='1'/><ivgen name='b'/></encryption></target></volume>", "volume/target/encryption/secret")]
    [InlineData("<volume><target><encryption format='luks'><secret type='passphrase' usage='x'/><ivgen name='b'/></encryption></target></volume>", "volume/target/encryption/cipher")]
    [InlineData("<volume><target><encryption format='luks'><secret type='passphrase' usage='x'/><cipher name='a' size='1'/></encryption></target></volume>", "volume/target/encryption/ivgen")]
    [InlineData("<volume><target><encryption format='luks'><cipher name='a'/></encryption></target></volume>", "volume/target/encryption/cipher/@size")]
    [InlineData("<volume><target><encryption format='luks'><cipher name='a' size='1' mode='x'/></encryption></target></volume>", "volume/target/encryption/cipher/@hash")]
    [InlineData("<volume><target><encryption format='luks'><ivgen/></encryption></target></volume>", "volume/target/encryption/ivgen/@name")]
    public void What_is_missing_or_stands_beside_its_alternative_is_named(string document, string field) => Assert.Equal(
        (ErrorCodes.SchemaViolation, field), SchemaTests.Violation(document.Replace("{t}", Target, StringComparison.Ordinal)));

    /// <summary>Documents with one value left open, the values that it may have, and others.</summary>
    public static TheoryData<string, string[], string[]> Values => new()
    {
        { "<pool type='{0}'><name>p</name>" + Target + "</pool>", ["dir", " dir "], ["", "Dir", "tape", "dir fs"] },
        { Pool("<name>{0}</name>"), ["a", " ", "a b", "é\r"], ["", "a/b", "a\nb"] },
        { Dir("<uuid>{0}</uuid>"), ["6f1de4c75b0a4d5c9a550b6b1c1f7a01", "6F1DE4C7-5B0A-4D5C-9A55-0B6B1C1F7A01"], ["", "0", " 6f1de4c75b0a4d5c9a550b6b1c1f7a01", "6f1de4c75b0a-4d5c-9a55-0b6b1c1f7a01"] },
        { Dir("<capacity>{0}</capacity>"), ["0", "0007", "18446744073709551615"], ["", " 1", "+1", "-1", "1.5", "0x1", "18446744073709551616"] },
        { Dir("<available unit='{0}'>1</available>"), ["b", "BYTES", "byte", "k", "KB", "kib", "EiB"], ["", "ki", "bit", " k", "Z"] },
        { Dir("<features><cow state='{0}'/></features>"), ["yes", " no\t"], ["", "on", "Yes"] },
        { "<pool type='dir'><name>p</name><target><path>{0}</path></target></pool>", ["/a", "/a b", "//", "c:\\a"], ["", "/", "a", "/a\nb", "file:/a"] },
        { Permissions("<mode>{0}</mode>"), ["0", "0777", "7777"], ["", "8", "-1", "0o7", " 7", "77777777777"] },
        { Permissions("<owner>{0}</owner>"), ["0", "4294967295", "-1", " -1 "], ["", "-2", "root", "4294967296", " 1"] },
        { Source("fs", "<device path='{0}'/>"), ["/a", "sd_a-1+", "iqn.2026-12.org:x y", "c:\\d"], ["", "/", "a.b", "iqn.2026-13.org:x"] },
        { Source("fs", "<device path='/a' part_separator='{0}'/>"), ["yes", "no"], ["", "maybe"] },
        { Source("fs", "<device path='/a'><freeExtent start='{0}' end='1'/></device>"), ["0", "18446744073709551615"], ["", "-1", "a"] },
        { Source("fs", "<device path='/a'/><format type='{0}'/>"), ["auto", "hfs+", " xfs "], ["", "btrfs", "nfs"] },
        { Source("netfs", "<host name='{0}'/><dir path='/a'/>"), ["a-.b", "1.2.3.4", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::ffff:1.2.3.4", "1::1.2.3.4", "1:2:3:4:5:6:1.2.3.4"],
            ["", "a_b", "a b", "1:2", "1::2::3", "1:::2", "12345::1", "[::1]", "fe80::1%eth0", "1:2:3:4:5:6:7::8", "1::2:1.2.3.4", "::1.2.3.256", "::1.2.3.04", "1.2.3.4::"] },
        { Source("netfs", "<host name='a' port='{0}'/><dir path='/a'/>"), ["0", "-1", "+65535", " 007 "], ["", "-2", "65536", "http"] },
        { Source("netfs", "<host name='a'/><dir path='{0}'/>"), ["/", "/a b"], ["", "a", "/a\nb"] },
        { Source("netfs", "<host name='a'/><dir path='{0}'/><format type='glusterfs'/>"), ["/", "a", " "], ["", "a\nb"] },
        { Source("netfs", "<host name='a'/><dir path='/a'/><format type='{0}'/>"), ["auto", "nfs", " cifs ", "glusterfs"], ["", "xfs"] },
        { Source("logical", "<format type='{0}'/>"), ["unknown", "lvm2"], ["", "auto"] },
        { Source("disk", "<device path='/a'/><format type='{0}'/>"), ["unknown", "dos", "pc98", "lvm2"], ["", "mbr"] },
        { Source("iscsi", "<host name='a'/><device path='iqn.2026-01.a'/><auth type='{0}' username=''><secret uuid=''/></auth>"), ["chap", "ceph"], ["", "none"] },
        { Source("iscsi-direct", "<host name='a'/><device path='{0}'/><initiator><iqn name=''/></initiator>", ""), ["iqn.2026-01.a.b-c", "iqn.2026-01.a:é"], ["", "/a", "a", "iqn.2026-01.a:", "iqn.26-01.a", "eui.0123456789abcdef"] },
        { Source("scsi", "<adapter type='{0}' name='a'/>"), ["scsi_host", " scsi_host "], ["", "default", "host"] },
        { Address("unique_id='{0}'", ""), ["1", "007"], ["", "0", "+1", "a"] },
        { Address("", "domain='{0}'"), ["0x0", "ffffffff", "4294967295", " 1 "], ["", "0x123456789", "+1", "4294967296", "g"] },
        { Address("", "bus='{0}'"), ["0xff", "255", "+1", " 1 "], ["", "ff", "256", "0x100"] },
        { Address("", "slot='{0}'"), ["1f", "0x1F", "31", "+31"], ["", "32", "0x20", "0x"] },
        { Address("", "function='{0}'"), ["7", "0x7", "+7", "007"], ["", "8", "0x8"] },
        { Address("", "multifunction='{0}'"), ["on", "off"], ["", "yes"] },
        { Source("scsi", "<adapter type='fc_host' wwnn='{0}' wwpn='20000000c9831b4b'/>"), ["20000000c9831b4b", "0x20000000C9831B4B"], ["", "20000000c9831b4", "0X20000000c9831b4b"] },
        { Source("scsi", "<adapter type='fc_host' managed='{0}' wwnn='20000000c9831b4b' wwpn='20000000c9831b4b'/>"), ["yes", "no"], ["", "1"] },
        { "<pool type='rbd'><source><host name='a'/><name/></source><refresh><volume allocation='{0}'/></refresh></pool>", ["default", "capacity"], ["", "half"] },
        { "<volume type='{0}'><name>a</name><target/></volume>", ["file", "block", "dir", "network", "netdir"], ["", "ploop"] },
        { "<volume><name>{0}</name><target/></volume>", ["a", " ", "...", "a\nb"], ["", ".", "..", " . ", "a/b"] },
        { Volume("<path>{0}</path>"), ["", "/a", "a/b", "rbd:a", "//h/a", "http://u:p@[::1]:80/a?b#c", "c:\\a", "%41 é"], ["%", "%4", "%zz", ":a", "1:a", "a[b", "a#b#c", "http://h:x/"] },
        { Volume("<format type='{0}'/>"), ["unknown", "luks", "raw", "qcow2", "hfs+", "none", "linux-swap"], ["", "qcow3"] },
        { Volume("<timestamps><btime>{0}</btime></timestamps>"), ["0", "1.", "1.123456789"], ["", "-1", ".5", "1.1234567890"] },
        { Volume("<compat>{0}</compat>"), ["0.10", "1.1"], ["", "1", "1.", "1.1.1", " 1.1"] },
        { Volume("<clusterSize>{0}</clusterSize>"), ["0", "65536"], ["", "64k"] },
        { Volume("<encryption format='{0}'/>"), ["default", "qcow", "luks", "luks2", "luks-any"], ["", "aes"] },
        { Volume("<encryption format='luks' engine='{0}'/>"), ["qemu", "librbd"], ["", "default"] },
        { Volume("<encryption format='luks'><secret type='{0}' usage=''/></encryption>"), ["passphrase"], ["", "volume"] },
        { Volume("<encryption format='luks'><secret type='passphrase' uuid='{0}'/></encryption>"), ["6f1de4c75b0a4d5c9a550b6b1c1f7a01"], ["", "1"] },
        { Volume("<encryption format='luks'><secret type='passphrase' usage='u'/><cipher name='' size='{0}'/><ivgen name=''/></encryption>"), ["0", "4294967295"], ["", "4294967296", "big"] },
        { "<volume><name>a</name><target/><backingStore><path>{0}</path></backingStore></volume>", ["/a"], ["", "a", "/"] },
        { "<volume><name>a</name><source><device path='{0}'/></source><target/></volume>", ["/a"], ["", "a", "/"] },
        { "<volume><name>a</name><source><device path='/a'><extent start='1' end='{0}'/></device></source><target/></volume>", ["1"], ["", "x"] },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_is_of_its_datatype(string document, string[] taken, string[] refused)
    {
        Assert.All(taken, value => Assert.Null(SchemaTests.Violation(With(document, value))));
        Assert.All(refused, value => Assert.Equal(ErrorCodes.SchemaViolation, SchemaTests.Violation(With(document, value))?.Code));
    }

    private static string With(string document, string value) => document.Replace(
        "{0}",
        SecurityElement.Escape(value).Replace("\n", "&#10;", StringComparison.Ordinal).Replace("\r", "&#13;", StringComparison.Ordinal),
        StringComparison.Ordinal);

    private static string Pool(string rest) => $"<pool type='dir'>{rest}{Target}</pool>";

    private static string Dir(string rest) => Pool($"<name>p</name>{rest}");

    private static string Permissions(string rest) =>
        $"<pool type='dir'><name>p</name><target><path>/t</path><permissions>{rest}</permissions></target></pool>";

    private static string Source(string type, string source, string target = Target) =>
        $"<pool type='{type}'><name>p</name><source>{source}</source>{target}</pool>";

    private static string Address(string parent, string address) =>
        Source("scsi", $"<adapter><parentaddr {parent}><address {address}/></parentaddr></adapter>");

    private static string Volume(string target) => $"<volume><name>a</name><target>{target}</target></volume>";
}
