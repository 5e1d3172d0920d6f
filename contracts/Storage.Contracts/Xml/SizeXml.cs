using System.Globalization;

namespace Storage.Contracts;

/// <summary>A size: a number with the unit beside it, such as <c>&lt;capacity unit='GiB'&gt;10&lt;/capacity&gt;</c>.</summary>
internal static class SizeXml
{
    /// <summary>Bytes; null when the element is absent or empty.</summary>
    public static long? Read(InputElement parent, string name)
    {
        if (parent.Child(name) is not { } size)
            return null;
        var unit = size.Attribute("unit");
        if (size.Text is not { } text)
            return null;
        var digits = text.AsSpan().TrimStart(" \t\n\v\f\r");
        if (digits is ['+', ..])
            digits = digits[1..];
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            throw size.Wrong("A size is an unsigned number of at most 2^64-1.");
        return ByteSize.Scale(value, unit, size.Path);
    }

    public static void Write(XmlOutput output, string name, long bytes, string unit = "bytes") =>
        output.Text(name, bytes.ToString(CultureInfo.InvariantCulture), ("unit", unit));
}
