using System.Globalization;

namespace Storage.Contracts;

/// <summary><c>&lt;encryption&gt;</c> of a volume.</summary>
internal static class EncryptionXml
{
    public static VolumeEncryption? Read(InputElement? element)
    {
        if (element is null)
            return null;
        var secrets = element.Children("secret");
        return new VolumeEncryption(
            element.RequiredAttribute("format"),
            element.Attribute("engine"),
            secrets.Count > 0 ? [.. secrets.Select(SecretXml.Read)] : null,
            Cipher(element.Child("cipher")),
            Ivgen(element.Child("ivgen")));
    }

    public static void Write(XmlOutput output, VolumeEncryption? encryption)
    {
        if (encryption is null)
            return;
        output.Open("encryption", ("format", encryption.Format), ("engine", encryption.Engine));
        foreach (var secret in encryption.Secrets ?? [])
            SecretXml.Write(output, secret);
        if (encryption.Cipher is { } cipher)
        {
            var size = cipher.Size.ToString(CultureInfo.InvariantCulture);
            output.Empty("cipher", ("name", cipher.Name), ("size", size), ("mode", cipher.Mode), ("hash", cipher.Hash));
        }
        if (encryption.Ivgen is { } ivgen)
            output.Empty("ivgen", ("name", ivgen.Name), ("hash", ivgen.Hash));
        output.Close();
    }

    private static EncryptionCipher? Cipher(InputElement? cipher) => cipher is null
        ? null
        : new EncryptionCipher(
            cipher.RequiredAttribute("name"),
            cipher.Number("size") ?? throw cipher.WrongAttribute("size", "<cipher> needs a size."),
            cipher.Attribute("mode"),
            cipher.Attribute("hash"));

    private static EncryptionIvgen? Ivgen(InputElement? ivgen) =>
        ivgen is null ? null : new EncryptionIvgen(ivgen.RequiredAttribute("name"), ivgen.Attribute("hash"));
}
