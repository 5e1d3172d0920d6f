using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Whether a block device may be written over as a whole. One that is used for anything is refused whatever the client says: mounted
/// (the root file system above all), swap, part of a RAID, a volume group or a mapping, behind a loop device, or held open by the kernel.
/// Sources of fact: mountinfo, <c>/proc/swaps</c>, sysfs, and an exclusive open, open(2).
/// </summary>
public static class DeviceUse
{
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidState"/>: it is used; the message says by what. <see cref="ErrorCodes.InvalidDefinition"/>: it is no
    /// block device. <see cref="ErrorCodes.HostFailure"/>: it is not there or cannot be read.
    /// </exception>
    public static void RequireFree(string device, string field)
    {
        var number = NumberOf(device, field);
        foreach (var part in PartsOf(number))
        {
            if (UserOf(part) is { } user)
                throw new StorageException(new StorageError(
                    ErrorCodes.InvalidState, $"The device {device} is in use: {user}.", field, Resource: device));
        }
        using var exclusive = LibC.Open(device, OpenFlags.ReadOnly | OpenFlags.Exclusive | OpenFlags.CloseOnExec, 0);
        if (exclusive.IsInvalid)
            throw HostErrors.Last == HostErrors.Busy
                ? new StorageException(new StorageError(ErrorCodes.InvalidState, $"The device {device} is in use by the kernel.", field, Resource: device))
                : HostErrors.FromLast($"open {device}", field);
    }

    /// <summary>The kernel's number of a block device, <c>major:minor</c>.</summary>
    public static string NumberOf(string device, string field)
    {
        using var handle = LibC.Open(device, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0);
        if (handle.IsInvalid)
            throw HostErrors.FromLast($"find the device {device}", field);
        if (LibC.Status(handle, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            throw HostErrors.FromLast($"look at {device}", field);
        return status.Kind == FileKind.BlockDevice
            ? status.RawDevice
            : throw new StorageException(ErrorCodes.InvalidDefinition, $"{device} is not a block device.", field);
    }

    /// <summary>As <see cref="NumberOf"/>; null where there is no such device.</summary>
    public static string? FindNumber(string device)
    {
        try
        {
            return device.StartsWith('/') ? NumberOf(device, "device") : null;
        }
        catch (StorageException)
        {
            return null;
        }
    }

    /// <summary>The device and its partitions.</summary>
    private static IEnumerable<string> PartsOf(string number)
    {
        yield return number;
        var folder = $"/sys/dev/block/{number}";
        if (!Directory.Exists(folder))
            yield break;
        foreach (var child in Directory.EnumerateDirectories(folder))
        {
            if (File.Exists($"{child}/partition"))
                yield return File.ReadAllText($"{child}/dev").Trim();
        }
    }

    /// <summary>Who uses the device itself, its partitions apart; null where nobody does.</summary>
    internal static string? UserOf(string number)
    {
        var name = NameOf(number);
        if (MountTable.Read().FirstOrDefault(entry => entry.Device == number || entry.Source == $"/dev/{name}") is { } mounted)
            return $"{name} is mounted at {mounted.Target}";
        if (File.ReadLines("/proc/swaps").Skip(1).Any(line => line.Split(' ', 2)[0] == $"/dev/{name}"))
            return $"{name} is swap";
        var holders = $"/sys/dev/block/{number}/holders";
        if (Directory.Exists(holders) && Directory.EnumerateFileSystemEntries(holders).Select(Path.GetFileName).FirstOrDefault() is { } holder)
            return $"{name} is held by {holder}";
        return LoopDevices.Of($"/dev/{name}") is { } loop ? $"{name} is behind {loop}" : null;
    }

    /// <summary>The kernel's name of a device, such as <c>sda1</c>.</summary>
    public static string NameOf(string number)
    {
        const string Key = "DEVNAME=";
        var events = $"/sys/dev/block/{number}/uevent";
        return File.Exists(events) ? File.ReadLines(events).FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..] ?? number : number;
    }
}
