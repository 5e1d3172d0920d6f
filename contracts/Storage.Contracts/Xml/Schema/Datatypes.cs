using System.Globalization;
using static Storage.Contracts.Datatype;

namespace Storage.Contracts;

/// <summary>The datatypes of libvirt's schemas for storage.</summary>
internal static class Datatypes
{
    private const NumberStyles Blanks = NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;
    private const NumberStyles Signed = Blanks | NumberStyles.AllowLeadingSign;

    public static readonly Datatype Text = new("a text", _ => true);

    public static readonly Datatype YesNo = OneOf("yes", "no");
    public static readonly Datatype OnOff = OneOf("on", "off");

    public static readonly Datatype UnsignedInt = Whole(0, uint.MaxValue);
    public static readonly Datatype UnsignedLong = Whole(0, ulong.MaxValue);
    public static readonly Datatype Positive = Whole(1, decimal.MaxValue);
    public static readonly Datatype Port = Whole(-1, ushort.MaxValue, Signed);

    /// <summary>The schema bounds the digits as if they were decimal.</summary>
    public static readonly Datatype Mode = new("an octal number", value => value.All(digit => digit is >= '0' and <= '7') && UnsignedInt.Has(value));

    public static readonly Datatype OwnerId = UnsignedInt | OneOf("-1");

    public static readonly Datatype Unit = Like("a unit of size", "(?i:b(?:ytes?)?|[kmgtpe](?:i?b)?)");
    public static readonly Datatype Uuid = Like("a uuid", "[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
    public static readonly Datatype Wwn = Like("a world wide name of 16 hexadecimal digits", "(?:0x)?[0-9a-fA-F]{16}");
    public static readonly Datatype Compat = Like("a version such as 1.1", @"[0-9]+\.[0-9]+");
    public static readonly Datatype Timestamp = Like("seconds with up to nine decimals", @"[0-9]+(?:\.[0-9]{0,9})?");

    public static readonly Datatype PoolName = Like("a name without slashes and line breaks", @"[^/\n]+");
    public static readonly Datatype VolumeName = new("a name without slashes", value =>
        value.Length > 0 && !value.Contains('/', StringComparison.Ordinal) && Trim(value) is not ("." or ".."));

    public static readonly Datatype AbsoluteFile = Like("an absolute path", @"(?:/|[a-zA-Z]:\\)[^\r\n]+");
    public static readonly Datatype AbsoluteDirectory = Like("an absolute path", @"/[^\r\n]*");
    public static readonly Datatype AnyPath = Like("a path", @"[^\r\n]+");
    public static readonly Datatype VolumePath = AbsoluteFile | UriReference.Datatype;

    public static readonly Datatype IscsiName =
        Like("an iSCSI name such as iqn.2026-01.org.example:disks", @"iqn\.[0-9]{4}-(?:0[1-9]|1[0-2])\.[a-zA-Z0-9.-]+(?::[^\r\n]+)?");

    public static readonly Datatype Device = AbsoluteFile | Like("a plain name", "[a-zA-Z0-9_+-]+") | IscsiName;
    public static readonly Datatype Host = Like("a host name", "[a-zA-Z0-9.-]+") | IPv6Text.Datatype;

    public static readonly Datatype PciDomain = Like("up to eight hexadecimal digits", "(?:0x)?[0-9a-fA-F]{1,8}") | Whole(0, uint.MaxValue, Blanks);
    public static readonly Datatype PciBus = Like("0x and up to two hexadecimal digits", "0x[0-9a-fA-F]{1,2}") | Whole(0, 0xFF, Signed);
    public static readonly Datatype PciSlot = Like("a hexadecimal number up to 0x1f", "(?:0x)?[01]?[0-9a-fA-F]") | Whole(0, 0x1F, Signed);
    public static readonly Datatype PciFunction = Like("a digit from 0 to 7", "(?:0x)?[0-7]") | Whole(0, 7, Signed);
}
