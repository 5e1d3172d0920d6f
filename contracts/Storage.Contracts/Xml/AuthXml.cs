namespace Storage.Contracts;

/// <summary><c>&lt;auth&gt;</c> of a pool's source.</summary>
internal static class AuthXml
{
    private static readonly (string Name, AuthKind Kind)[] Kinds = [("chap", AuthKind.Chap), ("ceph", AuthKind.Ceph), ("cifs", AuthKind.Cifs)];

    public static SourceAuth? Read(InputElement? element)
    {
        if (element is null)
            return null;
        var type = element.Attribute("type");
        var (name, kind) = Array.Find(Kinds, row => row.Name == type);
        if (name is null)
            throw element.WrongAttribute("type", "The type of authentication is chap, ceph or cifs.", ErrorCodes.UnsupportedConfiguration);
        var username = element.Attribute("username");
        if (string.IsNullOrEmpty(username))
            throw element.WrongAttribute("username", "<auth> needs a username.");
        var secret = element.Child("secret") ?? throw element.Wrong("<auth> needs a <secret>.");
        return new SourceAuth(kind, username, SecretXml.Read(secret));
    }

    public static void Write(XmlOutput output, SourceAuth? auth)
    {
        if (auth is null)
            return;
        output.Open("auth", ("type", Array.Find(Kinds, row => row.Kind == auth.Type).Name), ("username", auth.Username));
        SecretXml.Write(output, auth.Secret);
        output.Close();
    }
}
