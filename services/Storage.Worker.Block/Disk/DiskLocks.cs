using System.Collections.Concurrent;

namespace Storage.Worker.Block;

/// <summary>
/// One look at, or change of, a disk's partition table at a time: volumes of a pool are made side by side, and a table is written as a whole. The runs
/// of this worker come one after the other; <see cref="DeviceLock"/> keeps udev away meanwhile, whose turn may be in between.
/// </summary>
internal sealed class DiskLocks
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> turns = new(StringComparer.Ordinal);

    /// <param name="disk">The kernel's name of the device.</param>
    /// <exception cref="Contracts.StorageException">As <see cref="DeviceLock.TakeAsync"/>.</exception>
    public async Task<IDisposable> TakeAsync(string device, string disk, CancellationToken cancellationToken)
    {
        var turn = turns.GetOrAdd(disk, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            return new Taken(turn, await DeviceLock.TakeAsync(device, DeviceLock.Limit, cancellationToken));
        }
        catch
        {
            turn.Release();
            throw;
        }
    }

    private sealed class Taken(SemaphoreSlim turn, DeviceLock held) : IDisposable
    {
        public void Dispose()
        {
            held.Dispose();
            turn.Release();
        }
    }
}
