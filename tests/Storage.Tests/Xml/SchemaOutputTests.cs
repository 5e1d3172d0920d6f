using CsCheck;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>
/// What is written is of libvirt's schema, but for what libvirt too takes and prints although its schema does not know it.
/// </summary>
public sealed class SchemaOutputTests
{
    private const int Cases = 2000;

    public static TheoryData<PoolType> Types => [.. Enum.GetValues<PoolType>()];

    [Fact]
    public void A_written_pool_is_of_the_schema() =>
        DefinitionGen.Pool.Select(PoolRules.Complete).Select(Known).Sample(
            pool => SchemaTests.Violation(PoolXml.Write(pool, 3, 2, 1)) is null, iter: Cases, print: pool => $"{SchemaTests.Violation(PoolXml.Write(pool))}");

    [Theory]
    [MemberData(nameof(Types))]
    public void A_written_volume_is_of_the_schema(PoolType pool)
    {
        var type = PoolTypes.Of(pool);
        DefinitionGen.Volume(type).Select(Known).Select(volume => VolumeRules.Complete(type, volume, VolumePurpose.Describe)).Sample(
            volume => SchemaTests.Violation(VolumeXml.Write(volume, type)) is null, iter: Cases / 10, print: volume => $"{SchemaTests.Violation(VolumeXml.Write(volume, type))}");
    }

    /// <summary>An observed volume has what nobody asks for: extents, a physical size and times.</summary>
    [Fact]
    public void A_written_observed_volume_is_of_the_schema()
    {
        var at = DateTimeOffset.FromUnixTimeSeconds(1700000000).AddTicks(1234567);
        var volume = new VolumeDefinition
        {
            Name = "root",
            Type = VolumeKind.Block,
            Physical = 1,
            Path = "/dev/vg/root",
            Timestamps = new Timestamps(at, at, at),
            Extents = [new SourceExtent("/dev/vdb", 0, 8), new SourceExtent("/dev/vdb", 8, 16), new SourceExtent("/dev/vdc", 0, 4)],
        };
        Assert.Null(SchemaTests.Violation(VolumeXml.Write(volume, PoolTypes.Of(PoolType.Logical))));
    }

    public static TheoryData<PoolType, PoolSource, string> Exceptions => new()
    {
        { PoolType.Fs, new PoolSource { Devices = [new("/a"), new("/b")] }, "pool/source/device[2]" },
        { PoolType.Zfs, new PoolSource { Name = "z", Devices = [new("/a"), new("/b")] }, "pool/source/device[2]" },
        { PoolType.Netfs, new PoolSource { Hosts = [new("under_score")], Dir = "/a" }, "pool/source/host/@name" },
        { PoolType.Iscsi, new PoolSource { Hosts = [new("a")], Devices = [new("eui.0123456789abcdef")] }, "pool/source/device/@path" },
        { PoolType.IscsiDirect, new PoolSource { Hosts = [new("a")], Devices = [new("iqn.2026-01.a", true)], Initiator = "i" }, "pool/source/device/@part_separator" },
        { PoolType.Scsi, new PoolSource { Adapter = new(AdapterKind.ScsiHost, ParentAddress: new(0, 0, 0, 0, 0)) }, "pool/source/adapter/parentaddr/@unique_id" },
        { PoolType.Dir, new PoolSource { Auth = new(AuthKind.Chap, "u", new(Usage: "s")) }, "pool/source/auth" },
        { PoolType.Rbd, new PoolSource { Name = "r", Hosts = [new("a")], Auth = new(AuthKind.Ceph, "u", new(Usage: "s", Type: "ceph")) }, "pool/source/auth/secret/@type" },
        { PoolType.Mpath, new PoolSource { Vendor = "v" }, "pool/source/vendor" },
    };

    [Theory]
    [MemberData(nameof(Exceptions))]
    public void What_libvirt_prints_beyond_its_schema_is_not_taken_back_strictly(PoolType type, PoolSource source, string field)
    {
        var pool = new PoolDefinition { Type = type, Name = "p", Source = source, Target = new PoolTarget { Path = "/t" } };
        Assert.Equal(field, SchemaTests.Violation(PoolXml.Write(pool))?.Field);
    }

    /// <summary>The pool with no more than the schema knows of it.</summary>
    private static PoolDefinition Known(PoolDefinition pool)
    {
        var clients = pool.Type == PoolType.Rbd;
        var direct = pool.Type == PoolType.IscsiDirect;
        var source = pool.Source;
        var devices = source.Devices.Select(device => device with
        {
            Path = device.Path.StartsWith("eui.", StringComparison.Ordinal) ? "iqn.2026-01.a" : device.Path,
            PartSeparator = direct ? null : device.PartSeparator,
        });
        var made = pool.Type is PoolType.Dir or PoolType.Fs or PoolType.Netfs or PoolType.Logical or PoolType.Disk or PoolType.Iscsi or PoolType.Scsi;
        return pool with
        {
            RefreshAllocation = clients ? pool.RefreshAllocation : null,
            Source = source with
            {
                Devices = [.. pool.Type == PoolType.Logical ? devices : devices.Take(1)],
                Hosts = [.. source.Hosts.Select(host => host with { Name = host.Name.Replace('_', '-') })],
                Auth = source.Auth is { } auth && (clients || direct || pool.Type == PoolType.Iscsi) ? auth with { Secret = auth.Secret with { Type = null } } : null,
                Vendor = made ? source.Vendor : null,
                Product = made ? source.Product : null,
                Adapter = source.Adapter is { ParentAddress: { } address } adapter ? adapter with { ParentAddress = address with { UniqueId = address.UniqueId + 1 } } : source.Adapter,
            },
        };
    }

    private static VolumeDefinition Known(VolumeDefinition volume) => volume with
    {
        Capacity = volume.Capacity ?? 1,
        Type = volume.Type == VolumeKind.Ploop ? VolumeKind.Dir : volume.Type,
        Features = volume.Features is { } features ? [.. features.Where(feature => feature != "data_file")] : null,
        Encryption = volume.Encryption is { Cipher: { } cipher, Ivgen: not null, Secrets.Count: > 0 } encryption
            ? encryption with { Cipher = cipher with { Hash = cipher.Mode is null ? null : "sha256" } }
            : volume.Encryption is { } plain ? plain with { Cipher = null, Ivgen = null } : null,
    };
}
