using System.Globalization;

namespace Storage.Contracts;

/// <summary>An IPv6 address in text, without a scope, as libvirt's schema takes it.</summary>
internal static class IPv6Text
{
    private const int Groups = 8;
    private const int MaxLength = 45;

    public static readonly Datatype Datatype = new("an IPv6 address", IsAddress);

    private static bool IsAddress(string text)
    {
        if (text.Length > MaxLength)
            return false;
        var gap = text.IndexOf("::", StringComparison.Ordinal);
        if (gap < 0)
            return Count(text) == Groups;
        var (left, right) = (text[..gap], text[(gap + 2)..]);
        // The schema knows an IPv4 tail only next to the gap, or in an address that begins with it.
        var tail = left.Length == 0 || !right.Contains('.', StringComparison.Ordinal) || !right.Contains(':', StringComparison.Ordinal);
        return tail && !left.Contains('.', StringComparison.Ordinal) && Count(left) + Count(right) < Groups;
    }

    /// <summary>How many groups of 16 bits a text is, an IPv4 address being two; null where it is something else.</summary>
    private static int? Count(string text)
    {
        if (text.Length == 0)
            return 0;
        var groups = text.Split(':');
        int? count = IsIPv4(groups[^1]) ? 2 : Size(groups[^1]);
        return groups[..^1].Aggregate(count, (sum, group) => sum + Size(group));
    }

    private static int? Size(string group) => group.Length is >= 1 and <= 4 && group.All(char.IsAsciiHexDigit) ? 1 : null;

    private static bool IsIPv4(string text) => text.Split('.') is { Length: 4 } octets && octets.All(octet =>
        byte.TryParse(octet, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && octet == number.ToString(CultureInfo.InvariantCulture));
}
