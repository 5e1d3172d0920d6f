namespace Storage.Contracts;

/// <summary>References to secrets, and who authenticates with them.</summary>
public static class SecretRules
{
    private const string Cifs = "cifs";

    /// <summary>What neither mount's options nor a name of a user or a domain may have.</summary>
    private const string NoUser = ",%/\\\"";

    internal static SourceAuth? Complete(SourceAuth? auth, string? format, string field)
    {
        if (auth is null)
            return null;
        if (!Enum.IsDefined(auth.Type))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "Unknown kind of authentication.", $"{field}.type");
        PlainText.CheckGiven(auth.Username, $"{field}.username");
        if ((auth.Type == AuthKind.Cifs) != (format == Cifs))
            throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, "A source of format cifs, and no other, has authentication of type cifs.", $"{field}.type");
        if (auth.Type is AuthKind.Cifs && auth.Username.Split('\\', 2).Any(part => part.Length == 0 || part.Any(NoUser.Contains)))
            throw PlainText.Invalid($"'{auth.Username}' is neither the name of a user nor a domain, a backslash and a user.", $"{field}.username");
        return auth with { Secret = Complete(auth.Secret, $"{field}.secret") };
    }

    /// <summary>Exactly one of uuid and usage, as plain text.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> with the field.</exception>
    public static SecretReference Complete(SecretReference? secret, string field)
    {
        if (secret is null)
            throw PlainText.Invalid("A secret is required.", field);
        var usage = PlainText.Optional(secret.Usage, $"{field}.usage");
        if (secret.Uuid is null == usage is null)
            throw PlainText.Invalid("A secret is named by either its uuid or its usage.", field);
        PlainText.Check(secret.Type ?? "", $"{field}.type");
        return secret with { Usage = usage };
    }
}
