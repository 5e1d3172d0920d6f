using System.Collections.Concurrent;

namespace Storage.Worker.Block;

/// <summary>One change of a disk's partition table at a time: volumes of a pool are made side by side, and a table is written as a whole.</summary>
internal sealed class DiskLocks
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> disks = new(StringComparer.Ordinal);

    /// <param name="disk">The kernel's name.</param>
    public async Task<IDisposable> TakeAsync(string disk, CancellationToken cancellationToken)
    {
        var taken = disks.GetOrAdd(disk, _ => new SemaphoreSlim(1));
        await taken.WaitAsync(cancellationToken);
        return new Release(taken);
    }

    private sealed class Release(SemaphoreSlim taken) : IDisposable
    {
        public void Dispose() => taken.Release();
    }
}
