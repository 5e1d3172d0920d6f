using System.Text.RegularExpressions;

namespace Storage.Contracts;

/// <summary>Names of volume groups and logical volumes. Source of fact: lvm(8), "Valid Names".</summary>
internal static partial class LogicalNames
{
    private const int MaxBytes = 127;

    private static readonly string[] ReservedBeginnings = ["snapshot", "pvmove"];

    private static readonly string[] ReservedParts =
        ["_cdata", "_cmeta", "_corig", "_cpool", "_cvol", "_imeta", "_iorig", "_mimage", "_mlog", "_pmspare", "_rimage", "_rmeta", "_tdata", "_tmeta", "_vdata", "_vorigin", "_wcorig"];

    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckGroup(string name, string field)
    {
        if (name.Length > MaxBytes || !Valid().IsMatch(name) || name is "." or "..")
            throw PlainText.Invalid($"'{name}' names no volume group: up to {MaxBytes} of a-z, A-Z, 0-9, '+', '_', '.' and '-', and no '-' in front.", field);
    }

    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckVolume(string name, string field)
    {
        if (name.Length > MaxBytes || !Valid().IsMatch(name) || name is "." or "..")
            throw PlainText.Invalid($"'{name}' names no logical volume: up to {MaxBytes} of a-z, A-Z, 0-9, '+', '_', '.' and '-', and no '-' in front.", field);
        if (ReservedBeginnings.Any(reserved => name.StartsWith(reserved, StringComparison.Ordinal)) || ReservedParts.Any(reserved => name.Contains(reserved, StringComparison.Ordinal)))
            throw PlainText.Invalid($"LVM keeps the name '{name}' for itself.", field);
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]*\z")]
    private static partial Regex Valid();
}
