namespace Storage.Contracts;

/// <summary><c>&lt;secret&gt;</c>: a reference by uuid or usage. Which of them is there is judged by the rules.</summary>
internal static class SecretXml
{
    public static SecretReference Read(InputElement element)
    {
        var uuid = element.Attribute("uuid");
        return new SecretReference(
            uuid is null ? null : UuidXml.Parse(uuid) ?? throw element.WrongAttribute("uuid", "This is not a uuid."),
            element.Attribute("usage"),
            element.Attribute("type"));
    }

    public static void Write(XmlOutput output, SecretReference secret) =>
        output.Empty("secret", ("type", secret.Type), ("uuid", secret.Uuid?.ToString()), ("usage", secret.Usage));
}
