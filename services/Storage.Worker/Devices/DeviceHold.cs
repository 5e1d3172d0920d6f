using System.Diagnostics;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// A partition that is kept open. The kernel reads no partition table again while a partition of it is open (BLKRRPART is refused, EBUSY), so none
/// of the disk goes away for that; nor can this one be removed. It is taken while the disk is locked (<see cref="DeviceLock"/>), for the time after it.
/// </summary>
public sealed class DeviceHold : IDisposable
{
    /// <summary>What udev knows of the devices that it has named: udev_device_get_is_initialized(3) looks there. Named by kind and number.</summary>
    private const string Named = "/run/udev/data/b";

    /// <summary>There while udev runs.</summary>
    private const string Running = "/run/udev/control";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly BlockDevice device;

    private DeviceHold(BlockDevice device) => this.device = device;

    public string Path => device.Path;

    /// <exception cref="StorageException"><see cref="ErrorCodes.VolumeNotFound"/>, <see cref="ErrorCodes.HostFailure"/>.</exception>
    public static DeviceHold Open(string path) => new(BlockDevice.OpenToRead(path));

    /// <summary>
    /// Waits until udev has given the device its lasting names, where there is an udev. It does so once the disk's lock is let go. A host where that
    /// takes long has them later: they are looked for with each refresh.
    /// </summary>
    public async Task NamedAsync(CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        while (File.Exists(Running) && !File.Exists(Named + device.Status.RawDevice) && Stopwatch.GetElapsedTime(begun) < Limit)
            await Task.Delay(Pause, cancellationToken);
    }

    public void Dispose() => device.Dispose();
}
