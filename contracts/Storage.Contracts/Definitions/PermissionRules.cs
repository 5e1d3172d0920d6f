namespace Storage.Contracts;

/// <summary>Permissions of a pool's target or of a volume.</summary>
internal static class PermissionRules
{
    private const int Unset = -1;

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

    private static int? Id(int? id, string field) => id switch
    {
        Unset => null,
        < Unset => throw PlainText.Invalid("An owner or group is a number from 0, or -1 for none.", field),
        _ => id,
    };
}
