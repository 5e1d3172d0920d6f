using System.Text;
using System.Text.Unicode;

namespace Storage.Contracts.Images;

/// <summary>Names of files and formats in a header. A guest may have written them: only what is text is taken.</summary>
internal static class HeaderName
{
    public const string Backing = "The backing file's name";

    /// <summary>Bytes of the longest path that Linux knows.</summary>
    private const int MaxLength = 4095;

    /// <summary>The name up to the first NUL; null where there is none, and with a problem where it cannot be one.</summary>
    /// <param name="what">What the name is of, to begin a sentence.</param>
    public static string? Read(HeaderBytes bytes, ulong offset, ulong length, string what, HeaderProblems problems)
    {
        if (bytes.TryField(offset, length, out var field))
            return Read(field, what, problems);
        problems.Add($"{what} is not within the header.");
        return null;
    }

    public static string? Read(ReadOnlySpan<byte> field, string what, HeaderProblems problems)
    {
        var end = field.IndexOf((byte)0);
        var name = end < 0 ? field : field[..end];
        if (name.IsEmpty)
            return null;
        if (name.Length > MaxLength)
            problems.Add($"{what} is over {MaxLength} bytes.");
        else if (Text(name) is { } text)
            return text;
        else
            problems.Add($"{what} is not text.");
        return null;
    }

    /// <summary>Null where it is not UTF-8, or holds what no document can: control characters and U+FFFE and U+FFFF.</summary>
    private static string? Text(ReadOnlySpan<byte> name)
    {
        if (!Utf8.IsValid(name))
            return null;
        var text = Encoding.UTF8.GetString(name);
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\uFFFE' or '\uFFFF')
                return null;
        }
        return text;
    }
}
