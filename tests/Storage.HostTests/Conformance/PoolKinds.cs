using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>Where the storage of a pool is.</summary>
internal enum PoolPlace
{
    /// <summary>On this machine alone.</summary>
    Bare,

    /// <summary>On a cluster in user space, used by this machine.</summary>
    Cluster,

    /// <summary>On the lab VM.</summary>
    Lab,
}

/// <summary>A kind of pool for which the facts are run.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Place">Where it is.</param>
/// <param name="Create">Makes its storage on the host.</param>
internal sealed record PoolKind(PoolType Type, PoolPlace Place, Func<HostUnderTest, PoolUnderTest> Create)
{
    /// <summary>Programs that it needs on the host, and root to run them. The lab's image has all.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>The file system that the host's kernel must know, with a loop device for it.</summary>
    public string? FileSystem { get; init; }

    /// <summary>Its volumes are block devices: the facts are those of <see cref="DeviceConformanceTests"/>.</summary>
    public bool Devices { get; init; }

    /// <summary>It differs from another kind in how it is made alone: what happens when its worker is killed, that one shows.</summary>
    public bool MadeOtherwise { get; init; }

    /// <summary>
    /// It differs from another kind in how it is mounted alone: what holds for its volumes once it is mounted, that one shows. Every fact takes
    /// its time, in the lab above all.
    /// </summary>
    public bool MountedOtherwise { get; init; }

    /// <summary>Whether it is proven elsewhere too, so that a kernel without its file system, which no package brings, is no failure.</summary>
    public bool ProvenElsewhere { get; init; }

    /// <summary>The host with its worker in the tests' own process, where that can be.</summary>
    public async Task<HostUnderTest> HostAsync()
    {
        Require();
        return Place is PoolPlace.Lab ? await LabHost.RunningAsync() : await ThisMachine.StartAsync();
    }

    /// <summary>The host with a worker that can be killed.</summary>
    public async Task<AgentHost> AgentHostAsync()
    {
        Require();
        return Place is PoolPlace.Lab ? await LabHost.RunningAsync() : await MachineAgent.RunningAsync();
    }

    /// <summary>Skips the test, or fails it in CI, where the host cannot have it.</summary>
    private void Require()
    {
        if (Place is PoolPlace.Lab)
            return;
        if (Tools.Count > 0)
            Requires.Tools(Tools);
        if (FileSystem is null)
            return;
        HostProgram.Run("sh", "-c", $"modprobe {FileSystem} 2>/dev/null || true");
        if (!File.ReadLines("/proc/filesystems").Any(line => line.EndsWith($"\t{FileSystem}", StringComparison.Ordinal)))
        {
            var reason = $"this kernel cannot mount {FileSystem}";
            Assert.SkipWhen(ProvenElsewhere, reason);
            throw Requires.Missing(reason);
        }
        if (HostProgram.Run("sh", "-c", "losetup --find 2>/dev/null || true").Length == 0)
            throw Requires.Missing("no loop device can be made");
    }
}

/// <summary>All that there are, by the name under which the facts are run.</summary>
internal static class PoolKinds
{
    public const string NotBuilt = "not built";

    public static IReadOnlyDictionary<string, PoolKind> All { get; } = new Dictionary<string, PoolKind>
    {
        ["dir"] = new(PoolType.Dir, PoolPlace.Bare, host => new DirectoryPool(host)),
        ["fs ext2"] = Device("ext2", PoolPlace.Bare) with { MountedOtherwise = true },
        ["fs ext3"] = Device("ext3", PoolPlace.Bare) with { MountedOtherwise = true },
        ["fs ext4"] = Device("ext4", PoolPlace.Bare),
        ["fs vfat"] = Device("vfat", PoolPlace.Bare, elsewhere: true),
        ["fs xfs"] = Device("xfs", PoolPlace.Bare),
        ["fs btrfs"] = Device("btrfs", PoolPlace.Bare, made: true),
        ["netfs glusterfs"] = new(PoolType.Netfs, PoolPlace.Cluster, host => new GlusterPool(host)) { Tools = GlusterCluster.Programs },
        ["lab fs vfat"] = Device("vfat", PoolPlace.Lab),
        ["lab netfs auto"] = new(PoolType.Netfs, PoolPlace.Lab, host => new NfsPool(host, version: null, format: "auto")) { MountedOtherwise = true },
        ["lab netfs nfs3"] = new(PoolType.Netfs, PoolPlace.Lab, host => new NfsPool(host, "3")),
        ["lab netfs nfs4.1"] = new(PoolType.Netfs, PoolPlace.Lab, host => new NfsPool(host, "4.1")),
        ["lab netfs nfs ::1"] = new(PoolType.Netfs, PoolPlace.Lab, host => new NfsPool(host, "4.1", server: "::1")) { MountedOtherwise = true },
        ["lab netfs cifs user"] = new(PoolType.Netfs, PoolPlace.Lab, host => new CifsPool(host, guest: false)),
        ["disk gpt"] = Disk("gpt"),
        ["disk dos"] = Disk("dos") with { MadeOtherwise = true },
        ["lab logical"] = new(PoolType.Logical, PoolPlace.Lab, host => new VolumeGroupPool(host)) { Devices = true },
        ["lab netfs cifs guest"] = new(PoolType.Netfs, PoolPlace.Lab, host => new CifsPool(host, guest: true)) { MountedOtherwise = true },
    };

    /// <summary>The types that no worker serves yet.</summary>
    public static IEnumerable<string> NotBuiltTypes =>
        PoolTypes.All.Where(row => All.Values.All(kind => kind.Type != row.Type)).Select(row => row.Name);

    /// <summary>Those that are wanted; a trait tells where they are, so that a stage has its own.</summary>
    public static IEnumerable<TheoryDataRow<string>> Rows(Func<PoolKind, bool>? wanted = null) =>
        from kind in All
        where wanted?.Invoke(kind.Value) ?? true
        select InPlace(new TheoryDataRow<string>(kind.Key), kind.Value);

    /// <summary>They are shown, and skipped.</summary>
    public static IEnumerable<TheoryDataRow<string>> NotBuiltRows => NotBuiltTypes.Select(type => new TheoryDataRow<string>(type) { Skip = NotBuilt });

    /// <summary>A row with the trait of the stage that it belongs to.</summary>
    public static T InPlace<T>(T row, PoolKind kind)
        where T : TheoryDataRowBase
    {
        if (kind.Place is not PoolPlace.Bare)
            row.Traits.Add(Lab.Trait, [kind.Place is PoolPlace.Lab ? Lab.Name : "clusters"]);
        return row;
    }

    private static PoolKind Disk(string label) => new(PoolType.Disk, PoolPlace.Bare, host => new PartitionedPool(host, label))
    {
        Tools = ["losetup", "parted", "partprobe", "partx", "wipefs"],
        Devices = true,
    };

    private static PoolKind Device(string format, PoolPlace place, bool made = false, bool elsewhere = false) =>
        new(PoolType.Fs, place, host => new DevicePool(host, format, made))
        {
            Tools = ["losetup", $"mkfs.{format}"],
            FileSystem = format,
            ProvenElsewhere = elsewhere,
        };
}
