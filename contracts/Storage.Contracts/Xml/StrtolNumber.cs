namespace Storage.Contracts;

/// <summary>A number as C's <c>strtol</c> reads it where it must read the whole text: white space in front, a sign, digits.</summary>
internal static class StrtolNumber
{
    /// <returns>Null for another text, and for a number over 2^63-1.</returns>
    public static long? Parse(ReadOnlySpan<char> text, int radix = 10)
    {
        text = text.TrimStart(" \t\n\v\f\r");
        var negative = text is ['-', ..];
        if (text is ['-' or '+', ..])
            text = text[1..];
        if (text.IsEmpty)
            return null;
        Int128 value = 0;
        foreach (var c in text)
        {
            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            value = value * radix + digit;
            if (digit >= radix || value > long.MaxValue)
                return null;
        }
        return (long)(negative ? -value : value);
    }

    /// <summary>With the radix that the text says: <c>0x1f</c>, <c>037</c>, <c>31</c>.</summary>
    public static long? ParseAnyRadix(string text) => text.TrimStart() switch
    {
        ['0', 'x' or 'X', .. { Length: > 0 } digits] when char.IsAsciiHexDigit(digits[0]) => Parse(digits, 16),
        ['0', .. { Length: > 0 } digits] when char.IsAsciiDigit(digits[0]) => Parse(digits, 8),
        var digits => Parse(digits),
    };
}
