using System.Globalization;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Makes the argument lists of cryptsetup. Pure.</summary>
public static class CryptsetupCommands
{
    private const string Program = "cryptsetup";
    private const string Xts = "xts";
    private const string Ecb = "ecb";
    private const string Essiv = "essiv";
    private const int NoKeyAvailable = 2;

    /// <summary>Of the derivation of the key, in KiB: many volumes may be made at a time, and a worker's memory is limited.</summary>
    private const string DerivationMemory = "262144";

    private static readonly string[] Ciphers = ["aes", "serpent", "twofish"];
    private static readonly string[] Modes = [Xts, "cbc", "ctr", Ecb];
    private static readonly string[] Hashes = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"];

    /// <summary>
    /// <c>cryptsetup luksFormat --type luks2 [--cipher name-mode-ivgen --key-size bits [--hash hash]] --key-file passphrase path</c>. What a cipher
    /// leaves out is as qemu has it for LUKS 1: xts, plain64, and sha256 for essiv. Without a cipher all is cryptsetup's default.
    /// </summary>
    /// <param name="path">A file that is long enough.</param>
    /// <param name="passphrase">A file with the passphrase, all of it.</param>
    /// <param name="encryption">Of the volume.</param>
    /// <exception cref="StorageException">As <see cref="CheckCipher"/>.</exception>
    public static HostCommand Format(string path, string passphrase, VolumeEncryption encryption)
    {
        CheckCipher(encryption);
        return new HostCommand(
            Program,
            ["luksFormat", "--batch-mode", "--disable-locks", "--type", EncryptionRules.Luks2, .. Cipher(encryption),
                "--pbkdf-memory", DerivationMemory, "--key-file", passphrase, path]);
    }

    /// <summary><c>cryptsetup open --test-passphrase --type luks2 --key-file passphrase path</c>: ends with 2 where it is none of the volume's.</summary>
    /// <param name="path">The volume.</param>
    /// <param name="passphrase">As of <see cref="Format"/>.</param>
    public static HostCommand TestPassphrase(string path, string passphrase) => new(
        Program, "open", "--test-passphrase", "--batch-mode", "--disable-locks", "--type", EncryptionRules.Luks2, "--key-file", passphrase, path)
    {
        AcceptedExitCodes = [0, NoKeyAvailable],
    };

    /// <summary>Refuses a cipher that no LUKS 2 volume can have. Which of the others a host has is up to its kernel.</summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.UnsupportedConfiguration"/> with the field <c>encryption.cipher</c> or <c>encryption.ivgen</c>.
    /// </exception>
    public static void CheckCipher(VolumeEncryption encryption)
    {
        if (encryption.Cipher is not { } cipher)
            return;
        var mode = cipher.Mode ?? Xts;
        Require(Ciphers.Contains(cipher.Name), "cipher", $"The cipher of a LUKS 2 volume is {string.Join(", ", Ciphers)}, not '{cipher.Name}'.");
        Require(Modes.Contains(mode), "cipher", $"The mode of a LUKS 2 volume's cipher is {string.Join(", ", Modes)}, not '{mode}'.");
        // xts has no keys of 192 bits in the kernel.
        Require(cipher.Size is 128 or 256 || cipher.Size == 192 && mode != Xts, "cipher", $"The cipher {cipher.Name}-{mode} has no keys of {cipher.Size} bits.");
        Require(cipher.Hash is null || Hashes.Contains(cipher.Hash), "cipher", $"The hash of a LUKS 2 volume is {string.Join(", ", Hashes)}, not '{cipher.Hash}'.");
        if (encryption.Ivgen is not { } ivgen)
            return;
        Require(mode != Ecb, "ivgen", "ecb has no initialisation vectors.");
        Require(ivgen.Name is "plain" or "plain64" or Essiv, "ivgen", $"The initialisation vectors of a LUKS 2 volume are plain, plain64 or essiv, not '{ivgen.Name}'.");
        Require(ivgen.Hash is null || ivgen is { Name: Essiv, Hash: "sha256" }, "ivgen", "Only essiv has a hash, and it is sha256: no other one makes a key of the cipher.");
    }

    private static IEnumerable<string> Cipher(VolumeEncryption encryption)
    {
        if (encryption.Cipher is not { } cipher)
            yield break;
        var mode = cipher.Mode ?? Xts;
        var ivgen = encryption.Ivgen?.Name ?? "plain64";
        yield return "--cipher";
        yield return mode == Ecb ? $"{cipher.Name}-{mode}" : $"{cipher.Name}-{mode}-{ivgen}{(ivgen == Essiv ? ":sha256" : "")}";
        yield return "--key-size";
        // xts has two keys of the cipher.
        yield return (mode == Xts ? 2 * cipher.Size : cipher.Size).ToString(CultureInfo.InvariantCulture);
        if (cipher.Hash is not { } hash)
            yield break;
        yield return "--hash";
        yield return hash;
    }

    private static void Require(bool possible, string part, string message)
    {
        if (!possible)
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, message, $"encryption.{part}");
    }
}
