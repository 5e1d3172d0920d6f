using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// The lock of a whole disk that udev heeds: while another program has it, udev neither has the kernel read the disk's partition table again, for
/// which all its partitions are gone for a moment, nor looks at what is on it. udev has it itself while it does so: it is waited for. The kernel
/// frees it when the process ends, and tools do not inherit it. Source of fact: flock(2), https://systemd.io/BLOCK_DEVICE_LOCKING.
/// </summary>
public sealed class DeviceLock : IDisposable
{
    /// <summary>Far longer than udev looks at a disk that answers.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly SafeFileHandle file;

    private DeviceLock(SafeFileHandle file) => this.file = file;

    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>: others have it for so long. <see cref="ErrorCodes.HostFailure"/>: the device cannot be opened.</exception>
    public static async Task<DeviceLock> TakeAsync(string device, TimeSpan limit, CancellationToken cancellationToken)
    {
        // Not for writing: when that is closed, udev has the table read again.
        var file = LibC.Open(device, OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.CloseOnExec, 0);
        if (file.IsInvalid)
            throw HostErrors.FromLast($"open {device}");
        try
        {
            for (var begun = Stopwatch.GetTimestamp(); !Try(file, device); await Task.Delay(Pause, cancellationToken))
            {
                if (Stopwatch.GetElapsedTime(begun) >= limit)
                    throw BlockUse.InUse(device, $": others have had its lock (flock) for {limit.TotalSeconds:0.###} s");
            }
            return new DeviceLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static bool Try(SafeFileHandle file, string device)
    {
        if (LibC.Lock(file, LibC.LockForOne | LibC.LockOrFail) == 0)
            return true;
        return HostErrors.Last is HostErrors.TryAgain or HostErrors.Interrupted ? false : throw HostErrors.FromLast($"lock {device}");
    }

    public void Dispose() => file.Dispose();
}
