using System.Globalization;

namespace Storage.Contracts;

/// <summary><c>&lt;permissions&gt;</c> of a pool's target or a volume: mode in octal, owner and group in decimal, label.</summary>
internal static class PermissionsXml
{
    public static Permissions? Read(InputElement? parent)
    {
        if (parent?.Child("permissions") is not { } element)
            return null;
        return new Permissions(
            Mode(element.Child("mode")), Id(element.Child("owner")), Id(element.Child("group")), element.ChildText("label"));
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
        if (element?.Text is not { } text)
            return null;
        return StrtolNumber.Parse(text, radix: 8) is { } mode and >= 0 and <= 0x1FF
            ? (int)mode
            : throw element.Wrong("A mode is an octal number of at most 0777.");
    }

    /// <summary>Unlike other texts, an empty one is not an absent one here.</summary>
    private static long? Id(InputElement? element) => element is null
        ? null
        : PlainNumber(element.Text) ?? throw element.Wrong($"<{element.LocalName}> is a decimal number.");

    private static long? PlainNumber(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
