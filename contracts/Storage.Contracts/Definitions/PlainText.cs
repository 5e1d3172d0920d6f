using System.Text;

namespace Storage.Contracts;

/// <summary>The check that every text of a definition passes: it is shown, logged, written to XML and given to tools.</summary>
public static class PlainText
{
    public const int MaxBytes = 1024;

    /// <summary>At most <paramref name="maxBytes"/> of UTF-8, valid Unicode, no control characters (NUL, newline, DEL …).</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void Check(string text, string field, int maxBytes = MaxBytes)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsControl(c))
                throw Invalid($"A control character (U+{(int)c:X4}) is not allowed here.", field);
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (char.IsSurrogate(c) || c is '\uFFFE' or '\uFFFF')
                throw Invalid("The text is not valid Unicode.", field);
        }
        if (Encoding.UTF8.GetByteCount(text) > maxBytes)
            throw Invalid($"The text is over {maxBytes} bytes of UTF-8.", field);
    }

    /// <summary>A plain text that is not empty.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckGiven(string? text, string field, int maxBytes = MaxBytes)
    {
        if (string.IsNullOrEmpty(text))
            throw Invalid("A value is required.", field);
        Check(text, field, maxBytes);
    }

    /// <summary>A short word of ASCII letters, digits, <c>_ . -</c>, such as the name of a cipher.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckWord(string? text, string field)
    {
        CheckGiven(text, field, maxBytes: 64);
        if (text![0] == '-' || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
            throw Invalid($"'{text}' may only have letters, digits, '_', '.' and '-'.", field);
    }

    /// <summary>Empty is absent, as in libvirt; anything else is checked.</summary>
    internal static string? Optional(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        Check(text, field);
        return text;
    }

    internal static StorageException Invalid(string message, string field) =>
        new(ErrorCodes.InvalidDefinition, message, field);
}
