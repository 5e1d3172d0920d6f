using System.Globalization;

namespace Storage.Worker.Block;

/// <summary>
/// The devices that the kernel has for the partitions of a disk. It makes and removes them before the call that tells it of a partition
/// returns. When it reads the table again, they are gone for a moment: they are looked for while the disk is locked (<see cref="Disks.LockAsync"/>),
/// and nothing is waited for. Source of fact: sysfs (<c>/sys/dev/block</c>).
/// </summary>
public static class PartitionNode
{
    /// <summary>The name that the kernel gives a partition: with a <c>p</c> where the disk's own name ends in a digit.</summary>
    public static string NameOf(string disk, int number) => string.Create(
        CultureInfo.InvariantCulture, $"{disk}{(char.IsAsciiDigit(disk[^1]) ? "p" : "")}{number}");

    /// <summary>Where the kernel's name leads to a device.</summary>
    public static string DeviceOf(string name) => $"/dev/{name}";

    /// <summary>The kernel's name of a disk, whatever path it is given by.</summary>
    public static string DiskOf(string device, string field) => DeviceUse.NameOf(DeviceUse.NumberOf(device, field));

    /// <summary>The device of a partition; null where the kernel has none.</summary>
    public static string? Find(string disk, int number)
    {
        var name = NameOf(disk, number);
        return File.Exists($"/sys/class/block/{disk}/{name}/partition") ? DeviceOf(name) : null;
    }

    /// <summary>The bytes at which a partition best begins: those that the disk is fastest with, and at least 1 MiB, as all tools of today do.</summary>
    public static long AlignmentOf(string disk)
    {
        const long Usual = 1 << 20;
        var file = $"/sys/class/block/{disk}/queue/optimal_io_size";
        var optimal = File.Exists(file) && long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
        return optimal <= 0 || Usual % optimal == 0 ? Usual : PartitionPlace.Align(Usual, optimal);
    }
}
