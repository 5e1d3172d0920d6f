namespace Storage.Contracts;

/// <summary>References to secrets, and who authenticates with them.</summary>
internal static class SecretRules
{
    public static SourceAuth? Complete(SourceAuth? auth, string field)
    {
        if (auth is null)
            return null;
        if (!Enum.IsDefined(auth.Type))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "Unknown kind of authentication.", $"{field}.type");
        PlainText.CheckGiven(auth.Username, $"{field}.username");
        return auth with { Secret = Complete(auth.Secret, $"{field}.secret") };
    }

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
