namespace Storage.Contracts;

/// <summary>A uuid as libvirt reads it: 32 hex digits, with any dashes and spaces between bytes.</summary>
internal static class UuidXml
{
    private const int Bytes = 16;

    public static Guid? Parse(string text)
    {
        Span<char> digits = stackalloc char[2 * Bytes];
        var count = 0;
        foreach (var c in text.AsSpan().Trim())
        {
            if (c is '-' or ' ' && count % 2 == 0 && count < digits.Length)
                continue;
            if (!char.IsAsciiHexDigit(c) || count == digits.Length)
                return null;
            digits[count++] = c;
        }
        return count == digits.Length ? Guid.ParseExact(digits, "N") : null;
    }
}
