using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>
/// libvirt's cases of encrypted volumes. Creating has its argument list, but for the name of the secret, which libvirt makes from the
/// volume's, and <c>-u</c>. Copying names its images as JSON, each to its end.
/// </summary>
public sealed class EncryptedCommandsTests
{
    private const string Path = "/var/lib/libvirt/images/LuksDemo.img";
    private const long Capacity = 5242880L << 10;
    private const string Object = "--object secret,id=encrypt0,file=/path/to/secretFile";
    private const string SourceObject = "--object secret,id=source0,file=/path/to/inputSecretFile";

    private static readonly ImageSecret Secret = ImageSecret.Of("/path/to/secretFile")!;
    private static readonly ImageSecret SourceSecret = ImageSecret.OfSource("/path/to/inputSecretFile")!;
    private static readonly VolumeEncryption Luks = new("luks", Secrets: [new SecretReference(Usage: "u", Type: "passphrase")]);

    private static readonly VolumeEncryption Serpent = Luks with
    {
        Cipher = new EncryptionCipher("serpent", 256, "cbc", "sha256"),
        Ivgen = new EncryptionIvgen("plain64", "sha256"),
    };

    public static TheoryData<string, VolumeDefinition, string> Creates() => new()
    {
        { "luks, luks-convert, luks-convert-qcow2", Volume("raw", Luks), $"create -f luks {Object} -o key-secret=encrypt0 {Path} 5242880K" },
        {
            "luks-cipher", Volume("raw", Serpent),
            $"create -f luks {Object} -o key-secret=encrypt0,cipher-alg=serpent-256,cipher-mode=cbc,hash-alg=sha256,ivgen-alg=plain64,ivgen-hash-alg=sha256 {Path} 5242880K"
        },
        {
            "qcow2-luks", Volume("qcow2", Luks) with { Compat = "0.10", BackingStore = new BackingStore("/dev/null", "raw") },
            $"create -f qcow2 -b /dev/null -u {Object} -o backing_fmt=raw,encrypt.format=luks,encrypt.key-secret=encrypt0,compat=0.10 {Path} 5242880K"
        },
        {
            "qcow2-luks-convert-encrypt", Volume("qcow2", Luks) with { Compat = "0.10" },
            $"create -f qcow2 {Object} -o encrypt.format=luks,encrypt.key-secret=encrypt0,compat=0.10 {Path} 5242880K"
        },
        {
            "qcow2 with a cipher, and no hashes", Volume("qcow2", Luks with { Cipher = new EncryptionCipher("aes", 256), Ivgen = new EncryptionIvgen("plain64") }),
            $"create -f qcow2 {Object} -o encrypt.format=luks,encrypt.key-secret=encrypt0,encrypt.cipher-alg=aes-256,encrypt.ivgen-alg=plain64,compat=1.1 {Path} 5242880K"
        },
    };

    [Theory]
    [MemberData(nameof(Creates))]
    public void An_encrypted_image_is_created_with_exactly_these_arguments(string libvirt, VolumeDefinition volume, string arguments) =>
        Assert.Equal((libvirt, arguments), (libvirt, Text(QemuImgCommands.Create("qemu-img", Path, volume, Secret))));

    public static TheoryData<string, ImageSource, ImageSource, string> Converts() => new()
    {
        {
            "luks-convert", new("raw", "/in"), new("raw", "/out", Secret),
            $"-p -n {Object} -f raw -O luks /in {Json("luks", "/out", ",\"key-secret\":\"encrypt0\"")}"
        },
        {
            "luks-convert-qcow2", new("qcow2", "/in"), new("raw", "/out", Secret),
            $"-p -n {Object} -f qcow2 -O luks {Json("qcow2", "/in", ",\"backing\":null")} {Json("luks", "/out", ",\"key-secret\":\"encrypt0\"")}"
        },
        {
            "luks-convert-encrypt", new("raw", "/in", SourceSecret), new("raw", "/out", Secret),
            $"-p -n {Object} {SourceObject} -f luks -O luks {Json("luks", "/in", ",\"key-secret\":\"source0\"")} {Json("luks", "/out", ",\"key-secret\":\"encrypt0\"")}"
        },
        {
            "luks-convert-encrypt2fileraw", new("raw", "/in", SourceSecret), new("raw", "/out"),
            $"-p -n --target-is-zero {SourceObject} -f luks -O raw {Json("luks", "/in", ",\"key-secret\":\"source0\"")} /out"
        },
        {
            "luks-convert-encrypt2fileqcow2", new("raw", "/in", SourceSecret), new("qcow2", "/out"),
            $"-p -n --target-is-zero {SourceObject} -f luks -O qcow2 {Json("luks", "/in", ",\"key-secret\":\"source0\"")} /out"
        },
        {
            "qcow2-luks-convert-encrypt", new("qcow2", "/in", SourceSecret), new("qcow2", "/out", Secret),
            $"-p -n {Object} {SourceObject} -f qcow2 -O qcow2 {Qcow2("/in", "source0")} {Qcow2("/out", "encrypt0")}"
        },
        {
            "qcow2-luks-convert-encrypt2fileraw", new("qcow2", "/in", SourceSecret), new("raw", "/out"),
            $"-p -n --target-is-zero {SourceObject} -f qcow2 -O raw {Qcow2("/in", "source0")} /out"
        },
        {
            "qcow2-luks-convert-encrypt2fileqcow2", new("qcow2", "/in", SourceSecret), new("qcow2", "/out"),
            $"-p -n --target-is-zero {SourceObject} -f qcow2 -O qcow2 {Qcow2("/in", "source0")} /out"
        },
    };

    [Theory]
    [MemberData(nameof(Converts))]
    public void An_encrypted_image_is_copied_with_exactly_these_arguments(string libvirt, ImageSource source, ImageSource target, string arguments) =>
        Assert.Equal((libvirt, $"convert {arguments}"), (libvirt, Text(QemuImgCommands.Convert("qemu-img", [source], target))));

    [Fact]
    public void An_encrypted_image_is_resized_with_exactly_these_arguments()
    {
        Assert.Equal(
            $"resize -f luks {Object} {Json("luks", "/v", ",\"key-secret\":\"encrypt0\"")} 2097152",
            Text(QemuImgCommands.Resize("qemu-img", [new ImageSource("raw", "/v", Secret)], new VolumeResize(1 << 20, 2 << 20, false))));
        Assert.Equal(
            $"resize -f qcow2 --shrink {Object} {Qcow2("/v", "encrypt0")} 1048576",
            Text(QemuImgCommands.Resize("qemu-img", [new ImageSource("qcow2", "/v", Secret)], new VolumeResize(2 << 20, 1 << 20, false))));
        Assert.Equal(
            $"resize -f luks --preallocation=falloc {Object} {Json("luks", "/v", ",\"key-secret\":\"encrypt0\"")} 2097152",
            Text(QemuImgCommands.Resize("qemu-img", [new ImageSource("raw", "/v", Secret)], new VolumeResize(1 << 20, 2 << 20, true))));
    }

    [Fact]
    public void Every_encrypted_image_of_a_chain_is_told_its_secret_and_a_secret_is_told_once()
    {
        ImageSource[] chain = [new("qcow2", "/top"), new("qcow2", "/middle", SourceSecret), new("raw", "/base", SourceSecret)];
        var middle = $$$"""{"driver":"qcow2","file":{"driver":"file","filename":"/middle"},"encrypt":{"format":"luks","key-secret":"source0"},"backing":{{{Bare("luks", "/base", ",\"key-secret\":\"source0\"")}}}}""";
        var top = Json("qcow2", "/top", $",\"backing\":{middle}");
        Assert.Equal(
            $"convert -p -n --target-is-zero {SourceObject} -f qcow2 -O raw {top} /out",
            Text(QemuImgCommands.Convert("qemu-img", chain, new ImageSource("raw", "/out"))));
        Assert.Equal(
            $"resize -f qcow2 {SourceObject} {top} 2097152", Text(QemuImgCommands.Resize("qemu-img", chain, new VolumeResize(1 << 20, 2 << 20, false))));
    }

    [Fact]
    public void A_comma_in_the_file_of_a_secret_begins_no_option() => Assert.Contains(
        "file=/a,,b", Text(QemuImgCommands.Create("qemu-img", Path, Volume("raw", Luks), ImageSecret.Of("/a,b"))), StringComparison.Ordinal);

    private static string Json(string driver, string path, string more) => $"json:{Bare(driver, path, more)}";

    private static string Bare(string driver, string path, string more) =>
        $$$"""{"driver":"{{{driver}}}","file":{"driver":"file","filename":"{{{path}}}"}{{{more}}}}""";

    private static string Qcow2(string path, string secret) =>
        Json("qcow2", path, $$$""","encrypt":{"format":"luks","key-secret":"{{{secret}}}"},"backing":null""");

    private static string Text(HostCommand command) => string.Join(' ', command.Arguments);

    private static VolumeDefinition Volume(string format, VolumeEncryption encryption) =>
        new() { Name = "LuksDemo.img", Format = format, Capacity = Capacity, Encryption = encryption };
}
