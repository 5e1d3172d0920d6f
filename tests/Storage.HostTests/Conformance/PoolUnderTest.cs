using Storage.Contracts;

namespace Storage.HostTests;

/// <summary>A pool on real storage of this host, for the facts that hold for all types.</summary>
public abstract class PoolUnderTest : IDisposable
{
    protected PoolUnderTest() => Folder = Directory.CreateTempSubdirectory("pool-").FullName;

    /// <summary>Those that there are, by the name under which the facts are run.</summary>
    public static IReadOnlyDictionary<string, Func<PoolUnderTest>> All { get; } = new Dictionary<string, Func<PoolUnderTest>>
    {
        ["dir"] = () => new DirectoryPool(),
        ["fs ext2"] = () => new DevicePool("ext2"),
        ["fs ext3"] = () => new DevicePool("ext3"),
        ["fs ext4"] = () => new DevicePool("ext4"),
        ["fs xfs"] = () => new DevicePool("xfs"),
        ["fs btrfs"] = () => new DevicePool("btrfs", made: true),
        ["netfs glusterfs"] = () => new GlusterPool(),
    };

    /// <summary>As its worker gets it.</summary>
    public abstract PoolDefinition Definition { get; }

    /// <summary>Whether starting mounts something.</summary>
    public virtual bool Mounts => true;

    /// <summary>Bytes of a file system of its own; null where it shares one that must not be filled.</summary>
    public virtual long? Room => null;

    public string Target => Definition.Target.Path!;

    protected string Folder { get; }

    public virtual void Dispose() => Directory.Delete(Folder, recursive: true);

    protected PoolDefinition Complete(PoolDefinition definition) => PoolRules.Complete(definition with
    {
        Name = "pool",
        Uuid = Guid.NewGuid(),
        Target = new PoolTarget { Path = Path.Combine(Folder, "at", "pool") },
    });

    /// <summary>A test that fails half-way leaves nothing mounted.</summary>
    protected void Unmount()
    {
        if (Worker.MountTable.At(Worker.MountTable.Resolve(Target)) is not null)
            HostProgram.Run("umount", "--lazy", Target);
    }
}

internal sealed class DirectoryPool : PoolUnderTest
{
    public DirectoryPool() => Definition = Complete(new PoolDefinition { Type = PoolType.Dir });

    public override PoolDefinition Definition { get; }

    public override bool Mounts => false;
}

/// <summary>A file system on a loop device.</summary>
internal sealed class DevicePool : PoolUnderTest
{
    private const long Size = 320L << 20;
    private readonly LoopDevice device = LoopDevice.Create(Size);

    /// <param name="made">The file system is there, and found by itself: libvirt knows no format of its name.</param>
    public DevicePool(string format, bool made = false)
    {
        Requires.Tool($"mkfs.{format}");
        if (!File.ReadAllLines("/proc/filesystems").Any(line => line.EndsWith($"\t{format}", StringComparison.Ordinal)))
            throw Requires.Missing($"this kernel cannot mount {format}");
        if (made)
            HostProgram.Run($"mkfs.{format}", "-q", device.Path);
        Definition = Complete(new PoolDefinition
        {
            Type = PoolType.Fs,
            Source = new PoolSource { Devices = [new SourceDevice(device.Path)], Format = made ? "auto" : format },
        });
    }

    public override PoolDefinition Definition { get; }

    public override long? Room => Size;

    public override void Dispose()
    {
        Unmount();
        device.Dispose();
        base.Dispose();
    }
}

/// <summary>A volume of the real Gluster of the assembly, through its FUSE client.</summary>
internal sealed class GlusterPool : PoolUnderTest
{
    private readonly string volume = GlusterServer.Running.CreateVolume();

    public string Volume => volume;

    public GlusterPool() => Definition = Complete(new PoolDefinition
    {
        Type = PoolType.Netfs,
        Source = new PoolSource { Hosts = [new SourceHost("127.0.0.1")], Dir = "/" + volume, Format = "glusterfs" },
    });

    public override PoolDefinition Definition { get; }

    public override void Dispose()
    {
        Unmount();
        GlusterServer.Running.DeleteVolume(volume);
        base.Dispose();
    }
}
