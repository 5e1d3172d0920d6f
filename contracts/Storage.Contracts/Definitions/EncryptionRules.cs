namespace Storage.Contracts;

/// <summary>The encryption of a volume.</summary>
public static class EncryptionRules
{
    /// <summary>Of version 1, which qemu makes, reads and writes.</summary>
    public const string Luks = "luks";

    /// <summary>Of version 2, which qemu does not know.</summary>
    public const string Luks2 = "luks2";

    private const string Field = "encryption";
    private const string Passphrase = "passphrase";

    private static readonly string[] Formats = ["default", "qcow", Luks, Luks2, "luks-any"];
    private static readonly string[] Engines = ["qemu", "librbd"];

    /// <summary>Checked; cipher and ivgen are left out where the format has none, and no secrets is null.</summary>
    internal static VolumeEncryption? Complete(VolumeEncryption? input)
    {
        if (input is null)
            return null;
        PlainText.CheckGiven(input.Format, $"{Field}.format");
        if (!Formats.Contains(input.Format))
            throw Unsupported($"Unknown encryption format '{input.Format}'.", $"{Field}.format");
        if (input.Engine is not null && !Engines.Contains(input.Engine))
            throw PlainText.Invalid("An encryption engine is qemu or librbd.", $"{Field}.engine");
        var luks = input.Format is Luks or Luks2;
        return input with
        {
            Secrets = input.Secrets is { Count: > 0 } secrets ? SourceRules.Each(secrets, $"{Field}.secrets", Secret) : null,
            Cipher = luks ? Cipher(input.Cipher) : null,
            Ivgen = luks ? Ivgen(input) : null,
        };
    }

    private static SecretReference Secret(SecretReference secret, string field)
    {
        PlainText.CheckGiven(secret.Type, $"{field}.type");
        return secret.Type == Passphrase
            ? SecretRules.Complete(secret, field)
            : throw Unsupported($"Unknown type of secret '{secret.Type}'.", $"{field}.type");
    }

    private static EncryptionCipher? Cipher(EncryptionCipher? cipher)
    {
        if (cipher is null)
            return null;
        PlainText.CheckWord(cipher.Name, $"{Field}.cipher.name");
        if (cipher.Size <= 0)
            throw PlainText.Invalid("A cipher needs the size of its key in bits.", $"{Field}.cipher.size");
        return cipher with { Mode = Word(cipher.Mode, $"{Field}.cipher.mode"), Hash = Word(cipher.Hash, $"{Field}.cipher.hash") };
    }

    private static EncryptionIvgen? Ivgen(VolumeEncryption input)
    {
        if (input.Ivgen is null)
            return null;
        if (input.Cipher is null)
            throw PlainText.Invalid("An ivgen needs a cipher.", $"{Field}.cipher");
        PlainText.CheckWord(input.Ivgen.Name, $"{Field}.ivgen.name");
        return input.Ivgen with { Hash = Word(input.Ivgen.Hash, $"{Field}.ivgen.hash") };
    }

    private static string? Word(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        PlainText.CheckWord(text, field);
        return text;
    }

    private static StorageException Unsupported(string message, string field) =>
        new(ErrorCodes.UnsupportedConfiguration, message, field);
}
