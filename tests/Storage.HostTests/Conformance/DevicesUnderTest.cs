using Storage.Contracts;
using Storage.Worker.Block;

namespace Storage.HostTests;

/// <summary>A pool whose volumes are block devices, for the facts that hold for all such types.</summary>
public abstract class DevicesUnderTest(HostUnderTest host) : PoolUnderTest(host)
{
    /// <summary>The name that the next volume can have.</summary>
    /// <param name="number">From 1: the first that is made, the second, …</param>
    public abstract string NameOf(int number);

    /// <summary>Where its device is.</summary>
    public abstract string DeviceOf(int number);

    /// <summary>Whether its volumes are there for programs only while it is started.</summary>
    public abstract bool Activates { get; }

    /// <summary>The device that the pool is made of.</summary>
    public abstract string Made { get; }
}

/// <summary>A disk with a label; a loop device.</summary>
internal sealed class PartitionedPool : DevicesUnderTest
{
    private const long Size = 96L << 20;

    public PartitionedPool(HostUnderTest host, string label)
        : base(host)
    {
        Made = host.Shell($"truncate -s {Size} {Folder}/disk; losetup --find --show {Folder}/disk").Trim();
        Definition = Complete(new PoolDefinition { Type = PoolType.Disk, Source = new PoolSource { Devices = [new SourceDevice(Made)], Format = label } }) with
        {
            Target = new PoolTarget { Path = "/dev" },
        };
    }

    public override PoolDefinition Definition { get; }

    public override bool Mounts => false;

    public override long? Room => Size;

    public override bool Activates => false;

    public override string Made { get; }

    public override string NameOf(int number) => PartitionNode.NameOf(Path.GetFileName(Made), number);

    public override string DeviceOf(int number) => PartitionNode.DeviceOf(NameOf(number));

    public override void Dispose()
    {
        Host.Shell($"partx --delete {Made} 2>/dev/null || true; losetup --detach {Made}");
        base.Dispose();
    }
}

/// <summary>A volume group on a loop device.</summary>
internal sealed class VolumeGroupPool : DevicesUnderTest
{
    private readonly VolumeGroupUnderTest group;

    public VolumeGroupPool(HostUnderTest host)
        : base(host) => group = new VolumeGroupUnderTest(host, devices: 1);

    public override PoolDefinition Definition => group.Pool;

    public override bool Mounts => false;

    public override long? Room => 256L << 20;

    public override bool Activates => true;

    public override string Made => group.Devices[0];

    public override string NameOf(int number) => $"volume{number}";

    public override string DeviceOf(int number) => VolumeGroupUnderTest.Path(NameOf(number));

    public override void Dispose()
    {
        group.Dispose();
        base.Dispose();
    }
}
