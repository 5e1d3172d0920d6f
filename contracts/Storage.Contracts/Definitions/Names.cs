namespace Storage.Contracts;

/// <summary>Names of pools, volumes and sources. A name becomes a part of paths and an argument of tools.</summary>
public static class Names
{
    public const int MaxBytes = 255;

    /// <summary>
    /// 1 to 255 bytes of UTF-8, valid Unicode, no <c>/</c>, no control characters, no <c>-</c> in front, not <c>.</c> or <c>..</c>.
    /// </summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void Check(string? name, string field)
    {
        PlainText.CheckGiven(name, field, MaxBytes);
        if (name!.Contains('/', StringComparison.Ordinal))
            throw PlainText.Invalid($"The name '{name}' may not have a '/'.", field);
        if (name[0] == '-')
            throw PlainText.Invalid($"The name '{name}' may not begin with '-'.", field);
        if (name is "." or "..")
            throw PlainText.Invalid($"'{name}' is not a name.", field);
    }

    /// <summary>Names separated by single <c>/</c>, 255 bytes together: a ZFS dataset.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static void CheckNested(string name, string field)
    {
        PlainText.CheckGiven(name, field, MaxBytes);
        foreach (var part in name.Split('/'))
            Check(part, field);
    }
}
