namespace Storage.Contracts;

/// <summary>Permissions of a pool's target or of a volume.</summary>
internal static class PermissionRules
{
    private const long Unset = -1;

    /// <summary>-1 as the unsigned number that it is in C.</summary>
    private const long UnsetUnsigned = uint.MaxValue;

    /// <summary>Checked; -1 becomes absent, and permissions that say nothing become none.</summary>
    public static Permissions? Complete(Permissions? input, string field)
    {
        if (input is null)
            return null;
        if (input.Mode is < 0 or > 0x1FF)
            throw PlainText.Invalid("A mode is at most 0777.", $"{field}.mode");
        var completed = new Permissions(
            input.Mode,
            Id(input.Owner, $"{field}.owner"),
            Id(input.Group, $"{field}.group"),
            PlainText.Optional(input.Label, $"{field}.label"));
        return completed == new Permissions() ? null : completed;
    }

    private static long? Id(long? id, string field) => id switch
    {
        Unset or UnsetUnsigned => null,
        < Unset or > UnsetUnsigned => throw PlainText.Invalid("An owner or group is a number from 0 to 2^32-2, or -1 for none.", field),
        _ => id,
    };
}
