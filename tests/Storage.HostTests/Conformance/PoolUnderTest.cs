using Storage.Contracts;

namespace Storage.HostTests;

/// <summary>A pool on real storage of a host, for the facts that hold for all types.</summary>
public abstract class PoolUnderTest : IDisposable
{
    /// <param name="host">Where its storage is made.</param>
    protected PoolUnderTest(HostUnderTest host)
    {
        Host = host;
        Folder = host.NewFolder();
    }

    /// <summary>As its worker gets it.</summary>
    public abstract PoolDefinition Definition { get; }

    /// <summary>Whether starting mounts something.</summary>
    public virtual bool Mounts => true;

    /// <summary>Bytes of a file system of its own; null where it shares one that must not be filled.</summary>
    public virtual long? Room => null;

    public string Target => Definition.Target.Path!;

    protected HostUnderTest Host { get; }

    protected string Folder { get; }

    /// <summary>A test that fails half-way leaves nothing mounted.</summary>
    public virtual void Dispose()
    {
        if (Mounts)
            Host.Shell($"! grep -q ' {Target} ' /proc/self/mountinfo || umount --lazy {Target}");
        Host.Shell($"rm -rf --one-file-system {Folder}");
    }

    protected PoolDefinition Complete(PoolDefinition definition) => PoolRules.Complete(definition with
    {
        Name = "pool",
        Uuid = Guid.NewGuid(),
        Target = new PoolTarget { Path = $"{Folder}/at/pool" },
    });
}

internal sealed class DirectoryPool : PoolUnderTest
{
    public DirectoryPool(HostUnderTest host)
        : base(host) => Definition = Complete(new PoolDefinition { Type = PoolType.Dir });

    public override PoolDefinition Definition { get; }

    public override bool Mounts => false;
}

/// <summary>A file system on a loop device.</summary>
internal sealed class DevicePool : PoolUnderTest
{
    private const long Size = 320L << 20;
    private readonly string device;

    /// <param name="made">The file system is there, and found by itself: libvirt knows no format of its name.</param>
    public DevicePool(HostUnderTest host, string format, bool made = false)
        : base(host)
    {
        device = host.Shell($"truncate -s {Size} {Folder}/device; losetup --find --show {Folder}/device").Trim();
        if (made)
            host.Shell($"mkfs.{format} -q {device}");
        Definition = Complete(new PoolDefinition
        {
            Type = PoolType.Fs,
            Source = new PoolSource { Devices = [new SourceDevice(device)], Format = made ? "auto" : format },
        });
    }

    public override PoolDefinition Definition { get; }

    public override long? Room => Size;

    public override void Dispose()
    {
        // Goes with the last who uses it.
        Host.Shell($"losetup --detach {device}");
        base.Dispose();
    }
}

/// <summary>A volume of the real Gluster of the assembly, through its FUSE client.</summary>
internal sealed class GlusterPool : PoolUnderTest
{
    private readonly GlusterCluster cluster = Clusters.Gluster.GetAwaiter().GetResult();

    public string Volume { get; }

    public GlusterPool(HostUnderTest host)
        : base(host)
    {
        Volume = cluster.CreateVolumeAsync().GetAwaiter().GetResult();
        Definition = Complete(new PoolDefinition
        {
            Type = PoolType.Netfs,
            Source = new PoolSource { Hosts = [new SourceHost(GlusterCluster.Address)], Dir = "/" + Volume, Format = "glusterfs" },
        });
    }

    public override PoolDefinition Definition { get; }

    public override void Dispose()
    {
        base.Dispose();
        cluster.DeleteVolumeAsync(Volume).GetAwaiter().GetResult();
    }
}
