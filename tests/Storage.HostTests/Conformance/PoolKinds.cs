using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>A kind of pool for which the facts are run.</summary>
/// <param name="Type">Its type.</param>
/// <param name="InLab">It is on the lab VM and not on this machine.</param>
/// <param name="Create">Makes its storage on the host.</param>
internal sealed record PoolKind(PoolType Type, bool InLab, Func<HostUnderTest, PoolUnderTest> Create)
{
    public Task<HostUnderTest> HostAsync() => InLab ? LabHost.RunningAsync() : ThisMachine.StartAsync();
}

/// <summary>All that there are, by the name under which the facts are run.</summary>
internal static class PoolKinds
{
    public const string NotBuilt = "not built";

    public static IReadOnlyDictionary<string, PoolKind> All { get; } = new Dictionary<string, PoolKind>
    {
        ["dir"] = new(PoolType.Dir, false, host => new DirectoryPool(host)),
        ["fs ext2"] = new(PoolType.Fs, false, host => new DevicePool(host, "ext2")),
        ["fs ext3"] = new(PoolType.Fs, false, host => new DevicePool(host, "ext3")),
        ["fs ext4"] = new(PoolType.Fs, false, host => new DevicePool(host, "ext4")),
        ["fs vfat"] = new(PoolType.Fs, false, host => new DevicePool(host, "vfat")),
        ["fs xfs"] = new(PoolType.Fs, false, host => new DevicePool(host, "xfs")),
        ["fs btrfs"] = new(PoolType.Fs, false, host => new DevicePool(host, "btrfs", made: true)),
        ["netfs glusterfs"] = new(PoolType.Netfs, false, host => new GlusterPool(host)),
        ["lab dir"] = new(PoolType.Dir, true, host => new DirectoryPool(host)),
        ["lab fs ext4"] = new(PoolType.Fs, true, host => new DevicePool(host, "ext4")),
        ["lab fs vfat"] = new(PoolType.Fs, true, host => new DevicePool(host, "vfat")),
        ["lab fs xfs"] = new(PoolType.Fs, true, host => new DevicePool(host, "xfs")),
        ["lab fs btrfs"] = new(PoolType.Fs, true, host => new DevicePool(host, "btrfs", made: true)),
        ["lab netfs auto"] = new(PoolType.Netfs, true, host => new NfsPool(host, version: null, format: "auto")),
        ["lab netfs nfs3"] = new(PoolType.Netfs, true, host => new NfsPool(host, "3")),
        ["lab netfs nfs4.1"] = new(PoolType.Netfs, true, host => new NfsPool(host, "4.1")),
        ["lab netfs nfs ::1"] = new(PoolType.Netfs, true, host => new NfsPool(host, "4.1", server: "::1")),
        ["lab netfs cifs user"] = new(PoolType.Netfs, true, host => new CifsPool(host, guest: false)),
        ["lab netfs cifs guest"] = new(PoolType.Netfs, true, host => new CifsPool(host, guest: true)),
    };

    /// <summary>Those that are wanted; the ones on the lab VM can be told from the others by their trait.</summary>
    public static IEnumerable<TheoryDataRow<string>> Rows(Func<PoolKind, bool>? wanted = null) =>
        from kind in All
        where wanted?.Invoke(kind.Value) ?? true
        select kind.Value.InLab ? new TheoryDataRow<string>(kind.Key).WithTrait(Lab.Trait, Lab.Name) : new TheoryDataRow<string>(kind.Key);

    /// <summary>The types that no worker serves yet: they are shown, and skipped.</summary>
    public static IEnumerable<TheoryDataRow<string>> NotBuiltRows =>
        from row in PoolTypes.All
        where All.Values.All(kind => kind.Type != row.Type)
        select new TheoryDataRow<string>(row.Name) { Skip = NotBuilt };
}
