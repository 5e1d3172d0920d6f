using CsCheck;
using Storage.Contracts;

namespace Storage.Tests;

/// <summary>Valid definitions of every kind, for properties that hold for all of them.</summary>
internal static class DefinitionGen
{
    /// <summary>Characters that XML, shells and file systems treat in special ways, and some beyond the basic plane.</summary>
    private static readonly Gen<string> Piece = Gen.OneOf("a", "Z", "0", " ", "<", ">", "&", "'", "\"", ";", "$", "%", "é", "名", "😀", "\u2028", "]]>");

    private static readonly Gen<string> Word = Piece.Array[1, 8].Select(pieces => "w" + string.Concat(pieces));
    private static readonly Gen<string> AbsolutePath = Word.Array[1, 4].Select(words => "/" + string.Join('/', words));
    private static readonly Gen<string> LogicalName = Gen.OneOf("a", "Z", "0", "+", "_", ".", "-").Array[1, 8].Select(pieces => "w" + string.Concat(pieces));

    private static readonly Gen<string> HostName = Gen.OneOf("a", "filer.example.org", "192.0.2.7", "2001:db8::7", "under_score");
    private static readonly Gen<string> IscsiName = Gen.OneOf("iqn.2026-01.org.example", "iqn.2026-12.org.example:a&b", "eui.0123456789abcdef");
    private static readonly Gen<string> Wwn = Gen.OneOf("20000000c9831b4b", "0x20000000C9831B4C");

    private static readonly Gen<Permissions?> Permissions = Optional(
        Gen.Select(Value(Gen.Int[0, 0x1FF]), Value(Gen.Int[0, int.MaxValue]), Value(Gen.Int[0, 1000]), Optional(Word), (mode, owner, group, label) =>
            new Permissions(mode, owner, group, label)));

    private static readonly Gen<SecretReference> Secret = Gen.Bool.SelectMany(named => named
        ? Word.Select(usage => new SecretReference(Usage: usage, Type: "passphrase"))
        : Gen.Guid.Select(uuid => new SecretReference(Uuid: uuid, Type: "passphrase")));

    private static Gen<SourceAuth?> Auth(string? format) => Optional(format == "cifs"
        ? Gen.Select(Gen.OneOf("user", "DOMAIN\\user", "名 é"), Secret, (user, secret) => new SourceAuth(AuthKind.Cifs, user, secret))
        : Gen.Select(Gen.OneOf(AuthKind.Chap, AuthKind.Ceph), Word, Secret, (kind, user, secret) => new SourceAuth(kind, user, secret)));

    private static readonly Gen<SourceAdapter> Adapter = Gen.OneOf(
        Gen.Int[0, 99].Select(number => new SourceAdapter(AdapterKind.ScsiHost, $"scsi_host{number}")),
        Gen.Select(Gen.Int[0, 0xFFFF], Gen.Int[0, 0xFF], Gen.Int[0, 0x1F], Gen.Int[0, 7], Gen.Int[0, 9], (domain, bus, slot, function, id) =>
            new SourceAdapter(AdapterKind.ScsiHost, ParentAddress: new ParentAddress(domain, bus, slot, function, id))),
        Gen.Select(Wwn, Wwn, Optional(Wwn), Value(Gen.Bool), Gen.Bool, (wwnn, wwpn, fabric, managed, parent) => new SourceAdapter(
            AdapterKind.FcHost, Parent: parent ? "scsi_host5" : null, ParentWwnn: parent ? null : wwnn, ParentWwpn: parent ? null : wwpn,
            ParentFabricWwn: fabric, Managed: managed, Wwnn: wwnn, Wwpn: wwpn)));

    private static readonly Gen<SourceHost[]> Hosts = Gen.Select(HostName, Value(Gen.Int[1, 65535]), (name, port) => new SourceHost(name, port)).Array[1, 3];

    private static readonly Gen<VolumeEncryption> Encryption =
        Gen.Select(Gen.OneOf("default", "qcow", "luks", "luks2", "luks-any"), Gen.OneOf(null, "qemu", "librbd"), Secret.Array[0, 2], Gen.Bool)
            .Select((format, engine, secrets, cipher) => new VolumeEncryption(
                format, engine, secrets, cipher ? new EncryptionCipher("aes", 256, "xts") : null, cipher ? new EncryptionIvgen("plain64", "sha256") : null));

    private static readonly Gen<string[]> Features = Gen.OneOf("lazy_refcounts", "extended_l2", "data_file").Array[0, 3];

    private static readonly string[] HarmlessOptions = ["sync", "noatime", "ro"];

    /// <summary>A pool as a client could ask for it; it has more parts than its type needs.</summary>
    public static readonly Gen<PoolDefinition> Pool = Gen.OneOf<PoolTypeInfo>([.. PoolTypes.All]).SelectMany(type =>
        Gen.Select(Name(type), Value(Gen.Guid), Source(type), AbsolutePath, Permissions, Word.Array[0, 3], Gen.Select(Value(Gen.Bool), Value(Gen.Enum<RefreshAllocation>())))
            .Select((name, uuid, source, path, permissions, options, rest) => new PoolDefinition
            {
                Type = type.Type,
                Name = name,
                Uuid = uuid,
                CopyOnWrite = type.Has(PoolTraits.CopyOnWrite) ? rest.Item1 : null,
                Source = source,
                Target = new PoolTarget { Path = path, Permissions = permissions },
                RefreshAllocation = rest.Item2,
                MountOptions = [.. options.Select((_, i) => HarmlessOptions[i])],
                ConfigOptions = [.. options.Select(option => new ConfigOption(option, option))],
            }));

    /// <summary>A volume as a client could ask for it to be shown.</summary>
    public static Gen<VolumeDefinition> Volume(PoolTypeInfo type) =>
        Gen.Select(Name(type), Optional(Word), Gen.Enum<VolumeKind>(), Value(Gen.Long[0, long.MaxValue]), Value(Gen.Long[0, long.MaxValue]), Format(type.VolumeFormats), Image(type))
            .Select((name, key, kind, capacity, allocation, format, image) => image with
            {
                Name = name,
                Key = key,
                Type = kind,
                Capacity = capacity,
                Allocation = allocation,
                Format = format,
            });

    private static Gen<VolumeDefinition> Image(PoolTypeInfo type) =>
        Gen.Select(Optional(AbsolutePath), Permissions, Optional(Encryption), Value(Gen.Long[0, long.MaxValue]), Optional(Features), Optional(Backing(type)))
            .Select((path, permissions, encryption, clusterSize, features, backing) => new VolumeDefinition
            {
                Name = "image",
                Path = path,
                Permissions = permissions,
                Encryption = encryption,
                ClusterSize = clusterSize,
                Features = features,
                BackingStore = backing,
            });

    private static Gen<BackingStore> Backing(PoolTypeInfo type) =>
        Gen.Select(AbsolutePath, Format(type.VolumeFormats), Permissions, (path, format, permissions) => new BackingStore(path, format, permissions));

    private static Gen<PoolSource> Source(PoolTypeInfo type) =>
        Gen.Select(Name(type), Hosts, Devices(type), AbsolutePath, Adapter, IscsiName, Format(type.SourceFormats).SelectMany(format => Gen.Select(Gen.Const(format), Auth(format), Optional(Word))))
            .Select((name, hosts, devices, dir, adapter, initiator, rest) => new PoolSource
            {
                Name = name,
                Hosts = hosts,
                Devices = devices,
                Dir = dir,
                Adapter = adapter,
                Initiator = initiator,
                Format = rest.Item1,
                Auth = rest.Item2,
                ProtocolVersion = type.VersionedFormats.Contains(rest.Item1 ?? type.DefaultSourceFormat) ? "4.1" : null,
                Vendor = rest.Item3,
                Product = rest.Item3,
            });

    private static Gen<SourceDevice[]> Devices(PoolTypeInfo type) =>
        Gen.Select(type.Has(PoolTraits.IscsiDevices) ? IscsiName : AbsolutePath, Value(Gen.Bool), (path, separator) => new SourceDevice(path, separator)).Array[1, 3];

    private static Gen<string> Name(PoolTypeInfo type) => type.Has(PoolTraits.LogicalNames) ? LogicalName : Word;

    private static Gen<string?> Format(IReadOnlyList<string> formats) => Gen.OneOf<string?>([null, .. formats]);

    private static Gen<T?> Optional<T>(Gen<T> gen) where T : class => Gen.Bool.SelectMany(given => given ? gen.Select(T? (value) => value) : Gen.Const((T?)null));

    private static Gen<T?> Value<T>(Gen<T> gen) where T : struct => Gen.Bool.SelectMany(given => given ? gen.Select(T? (value) => value) : Gen.Const((T?)null));
}
