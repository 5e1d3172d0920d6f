namespace Storage.Worker;

/// <summary>
/// The names that a directory has for block devices, as udev makes them (<c>/dev/disk/by-id</c>, <c>/dev/disk/by-path</c>, …): those of the kernel
/// (<c>sdb1</c>) are given anew at every start of the host. Read once; of several names for one device the first by its bytes.
/// </summary>
public sealed class DeviceNames
{
    private const string ById = "/dev/disk/by-id";

    /// <summary>Follows what is on a device, and not the device.</summary>
    private const string OfContent = "lvm-pv-uuid-";

    private readonly Dictionary<string, string> byDevice = new(StringComparer.Ordinal);

    private DeviceNames(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var name in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            if (!Path.GetFileName(name).StartsWith(OfContent, StringComparison.Ordinal) && TargetOf(name) is { } device)
                byDevice.TryAdd(device, name);
        }
    }

    public static DeviceNames In(string folder) => new(folder);

    /// <summary>What devices say of themselves: serial numbers, world wide names.</summary>
    public static DeviceNames OfIdentity() => new(ById);

    /// <param name="device">The kernel's own path of it.</param>
    /// <returns>Null where there is none.</returns>
    public string? Of(string device) => byDevice.GetValueOrDefault(device);

    private static string? TargetOf(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
