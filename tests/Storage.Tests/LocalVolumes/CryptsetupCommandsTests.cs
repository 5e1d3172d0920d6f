using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>What cryptsetup is told of a cipher, and what it is not even asked for.</summary>
public sealed class CryptsetupCommandsTests
{
    public static TheoryData<EncryptionCipher?, EncryptionIvgen?, string> Ciphers => new()
    {
        { null, null, "" },
        { new("aes", 256), null, "--cipher aes-xts-plain64 --key-size 512" },
        { new("aes", 128, "xts", "sha512"), new("plain64"), "--cipher aes-xts-plain64 --key-size 256 --hash sha512" },
        { new("aes", 192, "cbc"), new("plain"), "--cipher aes-cbc-plain --key-size 192" },
        { new("twofish", 256, "cbc", "sha1"), new("essiv", "sha256"), "--cipher twofish-cbc-essiv:sha256 --key-size 256 --hash sha1" },
        { new("serpent", 256, "cbc"), new("essiv"), "--cipher serpent-cbc-essiv:sha256 --key-size 256" },
        { new("aes", 256, "ecb"), null, "--cipher aes-ecb --key-size 256" },
    };

    [Theory]
    [MemberData(nameof(Ciphers))]
    public void A_volume_is_formatted_with_the_cipher_of_its_definition(EncryptionCipher? cipher, EncryptionIvgen? ivgen, string told)
    {
        var command = CryptsetupCommands.Format("/pool/v", "/secret", new VolumeEncryption("luks2", Cipher: cipher, Ivgen: ivgen));
        Assert.Equal("cryptsetup", command.Program);
        Assert.Equal(
            ["luksFormat", "--batch-mode", "--disable-locks", "--type", "luks2", .. told.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                "--pbkdf-memory", "262144", "--key-file", "/secret", "/pool/v"],
            command.Arguments);
    }

    public static TheoryData<EncryptionCipher, EncryptionIvgen?, string> Refusals => new()
    {
        { new("cast5", 128, "cbc"), null, "encryption.cipher" },
        { new("aes", 512), null, "encryption.cipher" },
        { new("aes", 192), null, "encryption.cipher" },
        { new("aes", 256, "gcm"), null, "encryption.cipher" },
        { new("aes", 256, Hash: "crc32"), null, "encryption.cipher" },
        { new("aes", 256), new("benbi"), "encryption.ivgen" },
        { new("aes", 256), new("plain64", "sha256"), "encryption.ivgen" },
        { new("aes", 256, "cbc"), new("essiv", "sha512"), "encryption.ivgen" },
        { new("aes", 256, "ecb"), new("plain64"), "encryption.ivgen" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_cipher_that_no_volume_can_have_is_refused_with_its_field(EncryptionCipher cipher, EncryptionIvgen? ivgen, string field)
    {
        var error = Assert.Throws<StorageException>(() => CryptsetupCommands.CheckCipher(new VolumeEncryption("luks2", Cipher: cipher, Ivgen: ivgen))).Error;
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, field), (error.Code, error.Field));
    }
}
