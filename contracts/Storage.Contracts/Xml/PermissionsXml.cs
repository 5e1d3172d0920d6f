using System.Globalization;

namespace Storage.Contracts;

/// <summary><c>&lt;permissions&gt;</c> of a pool's target or a volume: mode in octal, owner and group in decimal, label.</summary>
internal static class PermissionsXml
{
    private const int MaxModeDigits = 8;

    /// <summary>An owner or group that says "none": -1, also as the unsigned number that it is in C.</summary>
    private static readonly long[] Unset = [-1, uint.MaxValue];

    public static Permissions? Read(InputElement? parent)
    {
        if (parent?.Child("permissions") is not { } element)
            return null;
        var permissions = new Permissions(
            Mode(element.Child("mode")), Id(element.Child("owner")), Id(element.Child("group")), element.ChildText("label"));
        return permissions == new Permissions() ? null : permissions;
    }

    public static void Write(XmlOutput output, Permissions? permissions)
    {
        if (permissions is null || permissions == new Permissions())
            return;
        output.Open("permissions");
        output.Text("mode", permissions.Mode is { } mode ? "0" + Convert.ToString(mode, 8) : null);
        output.Text("owner", permissions.Owner?.ToString(CultureInfo.InvariantCulture));
        output.Text("group", permissions.Group?.ToString(CultureInfo.InvariantCulture));
        output.Text("label", permissions.Label);
        output.Close();
    }

    private static int? Mode(InputElement? element)
    {
        if (element?.Text?.Trim() is not { } text)
            return null;
        if (text.Length is 0 or > MaxModeDigits || text.AsSpan().ContainsAnyExceptInRange('0', '7'))
            throw element.Wrong("A mode is an octal number of at most 0777.");
        var mode = Convert.ToInt32(text, 8);
        return mode <= 0x1FF ? mode : throw element.Wrong("A mode is an octal number of at most 0777.");
    }

    private static int? Id(InputElement? element)
    {
        if (element?.Text is not { } text)
            return null;
        if (!long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var id))
            throw element.Wrong($"<{element.LocalName}> is a decimal number.");
        if (Unset.Contains(id))
            return null;
        return id is >= 0 and <= int.MaxValue ? (int)id : throw element.Wrong($"<{element.LocalName}> is a number from 0 to 2^31-1, or -1 for none.");
    }
}
