using System.Text;
using System.Text.RegularExpressions;

namespace Storage.Hosting;

/// <summary>
/// Takes secrets out of what is kept for people to read: passwords in addresses, and values under names like <c>password</c> in JSON,
/// whole or broken. Objects under such names stay: they refer to secrets. No input makes it slow.
/// </summary>
public static partial class SecretMask
{
    public const string Mask = "***";

    private const string Names = "passw(?:or)?d|passphrase|secret|token|authorization|credential|cookie|api[_-]?key|private[_-]?key";

    /// <summary>Whether what stands under this name is a secret.</summary>
    public static bool IsSecret(string name) => Name().IsMatch(name);

    public static string Text(string text)
    {
        text = Address().Replace(text, $"${{user}}:{Mask}@");
        text = Member().Replace(text, $"${{name}}\"{Mask}\"");
        return EscapedMember().Replace(text, $"${{name}}{Mask}");
    }

    /// <summary>The bytes without secrets; the same object where it has none. Bytes that are no text are left alone.</summary>
    public static byte[] Bytes(byte[] bytes)
    {
        // Each byte is one character, so that everything comes back as it was.
        var text = Encoding.Latin1.GetString(bytes);
        var masked = Text(text);
        return masked == text ? bytes : Encoding.Latin1.GetBytes(masked);
    }

    [GeneratedRegex(Names, RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Name();

    [GeneratedRegex("""(?<user>\b[a-z][a-z0-9+.-]*://[^\s:/?#@"'<>]*):[^\s/?#@"'<>]+@""", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Address();

    // A string that was cut off has no end; an array of plain values is as one value.
    [GeneratedRegex(
        "(?<name>\"[^\"\\\\]*(?:" + Names + ")[^\"\\\\]*\"\\s*:\\s*)(?:\"(?:[^\"\\\\]|\\\\.)*\"?|-?[0-9][-+.0-9e]*|\\[[^\\[\\]{}]+\\]?)",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking | RegexOptions.Singleline)]
    private static partial Regex Member();

    // JSON within a JSON string.
    [GeneratedRegex(
        "(?<name>\\\\+\"[^\"\\\\]*(?:" + Names + ")[^\"\\\\]*\\\\+\"\\s*:\\s*(?:\\\\+\")?)[^\"\\\\{}\\[\\],\\s]+",
        RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex EscapedMember();
}
