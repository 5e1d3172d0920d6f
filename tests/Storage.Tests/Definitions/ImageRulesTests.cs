using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>What cannot be created although it can be described.</summary>
public sealed class ImageRulesTests
{
    private static readonly PoolTypeInfo Dir = PoolTypes.Of(PoolType.Dir);
    private static readonly VolumeDefinition Qcow2 = new() { Name = "v", Capacity = 1 << 20, Format = "qcow2" };
    private static readonly SecretReference Secret = new(Usage: "u", Type: "passphrase");

    public static TheoryData<VolumeDefinition, string, string> OnlyCreationRefuses => new()
    {
        { Qcow2 with { Format = "raw", Features = [] }, "features", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Format = "vmdk", Compat = "1.1" }, "compat", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Format = null, ClusterSize = 65536 }, "clusterSize", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Compat = "1.2" }, "compat", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Compat = "0.10", Features = ["lazy_refcounts"] }, "features", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Features = ["data_file"] }, "features", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { ClusterSize = 256 }, "clusterSize", ErrorCodes.InvalidDefinition },
        { Qcow2 with { ClusterSize = 4 << 20 }, "clusterSize", ErrorCodes.InvalidDefinition },
        { Qcow2 with { ClusterSize = 65535 }, "clusterSize", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Format = "raw", BackingStore = new BackingStore("base") }, "backingStore", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Encryption = new VolumeEncryption("qcow", Secrets: [Secret]) }, "encryption.format", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Encryption = new VolumeEncryption("luks2", Secrets: [Secret]) }, "encryption.format", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Format = "vdi", Encryption = new VolumeEncryption("luks", Secrets: [Secret]) }, "encryption", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Encryption = new VolumeEncryption("luks") }, "encryption.secrets", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Secrets: [Secret, Secret]) }, "encryption.secrets", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Format = "raw", Preallocation = Preallocation.Metadata }, "preallocation", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Format = "vmdk", Preallocation = Preallocation.None }, "preallocation", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { BackingStore = new BackingStore("base"), Preallocation = Preallocation.Full }, "preallocation", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { BackingStore = new BackingStore("nbd:host:1") }, "backingStore.path", ErrorCodes.InvalidDefinition },
        { Qcow2 with { BackingStore = new BackingStore("json:{}") }, "backingStore.path", ErrorCodes.InvalidDefinition },
        { Qcow2 with { BackingStore = new BackingStore("-o") }, "backingStore.path", ErrorCodes.InvalidDefinition },
    };

    [Theory]
    [MemberData(nameof(OnlyCreationRefuses))]
    public void A_volume_that_can_be_described_but_not_made_is_refused_for_creation(VolumeDefinition volume, string field, string code)
    {
        VolumeRules.Complete(Dir, volume, VolumePurpose.Describe);
        Assert.Equal((code, field), Refusal(volume, VolumePurpose.Create));
    }

    public static TheoryData<VolumeDefinition, string, string> AlwaysRefused => new()
    {
        { Qcow2 with { Preallocation = (Preallocation)9 }, "preallocation", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Features = ["bitmaps"] }, "features[0]", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Compat = "1" }, "compat", ErrorCodes.InvalidDefinition },
        { Qcow2 with { BackingStore = new BackingStore("/base", "auto") }, "backingStore.format", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { BackingStore = new BackingStore("/base", Permissions: new Permissions(Owner: -5)) }, "backingStore.permissions.owner", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("rot13") }, "encryption.format", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Engine: "default") }, "encryption.engine", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Secrets: [new SecretReference(Usage: "u")]) }, "encryption.secrets[0].type", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Secrets: [Secret with { Type = "iscsi" }]) }, "encryption.secrets[0].type", ErrorCodes.UnsupportedConfiguration },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Secrets: [Secret with { Usage = null }]) }, "encryption.secrets[0]", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Cipher: new EncryptionCipher("aes", 0)) }, "encryption.cipher.size", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Cipher: new EncryptionCipher("a,b", 1)) }, "encryption.cipher.name", ErrorCodes.InvalidDefinition },
        { Qcow2 with { Encryption = new VolumeEncryption("luks", Ivgen: new EncryptionIvgen("plain64")) }, "encryption.cipher", ErrorCodes.InvalidDefinition },
    };

    [Theory]
    [MemberData(nameof(AlwaysRefused))]
    public void A_volume_that_is_wrong_is_refused_for_every_purpose(VolumeDefinition volume, string field, string code)
    {
        foreach (var purpose in Enum.GetValues<VolumePurpose>())
            Assert.Equal((code, field), Refusal(volume, purpose));
    }

    [Fact]
    public void A_backing_store_or_the_volume_copied_can_give_the_capacity()
    {
        var overlay = VolumeRules.Complete(Dir, Qcow2 with { Capacity = null, BackingStore = new BackingStore("base.img") });
        Assert.Equal((null, "raw"), (overlay.Capacity, overlay.BackingStore!.Format));
        Assert.Null(VolumeRules.Complete(Dir, Qcow2 with { Capacity = null }, VolumePurpose.Clone).Capacity);
    }

    [Fact]
    public void A_copy_without_a_format_leaves_it_to_what_is_copied_and_a_new_volume_is_raw()
    {
        var volume = Qcow2 with { Format = null };
        Assert.Null(VolumeRules.Complete(Dir, volume, VolumePurpose.Clone).Format);
        Assert.Null(VolumeRules.Complete(Dir, volume with { Compat = "1.1" }, VolumePurpose.Clone).Format);
        Assert.Equal("raw", VolumeRules.Complete(Dir, volume).Format);
    }

    [Fact]
    public void A_cipher_is_left_out_where_the_encryption_has_none()
    {
        var encryption = new VolumeEncryption("qcow", Cipher: new EncryptionCipher("aes", 256), Ivgen: new EncryptionIvgen("plain64"), Secrets: []);
        var completed = VolumeRules.Complete(Dir, Qcow2 with { Encryption = encryption }, VolumePurpose.Describe).Encryption;
        Assert.Equal(new VolumeEncryption("qcow"), completed);
    }

    private static (string Code, string? Field) Refusal(VolumeDefinition volume, VolumePurpose purpose)
    {
        var error = Assert.Throws<StorageException>(() => VolumeRules.Complete(Dir, volume, purpose)).Error;
        return (error.Code, error.Field);
    }
}
