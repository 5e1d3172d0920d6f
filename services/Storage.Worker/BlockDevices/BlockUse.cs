using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Whether anybody uses a block device that is a volume.</summary>
public static class BlockUse
{
    // Whoever only looks (parted, udev) is gone by then.
    private const int Looks = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Refuses a device that is mounted, swap, part of another device, behind a loop device, or open in a process other than this one. Who that
    /// is, is named. One that is not there is not used.
    /// </summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>.</exception>
    public static void RequireUnused(string device)
    {
        if (DeviceUse.FindNumber(device) is not { } number)
            return;
        if (DeviceUse.UserOf(number) is { } user)
            throw InUse(device, $": {user}");
        for (var look = 1; OpenFiles.HoldersOfDevice(number) is { Count: > 0 } holders; look++)
        {
            if (look == Looks)
                throw InUse(device, OpenFiles.ByWhom(holders));
            Thread.Sleep(Pause);
        }
    }

    internal static StorageException InUse(string path, string byWhom) =>
        new(new StorageError(ErrorCodes.InUse, $"{path} is in use{byWhom}.", Resource: path, Retryable: true));
}
