using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What is written comes to the disk part by part, so that no call waits for much of it.</summary>
public sealed partial class FlushTests : IDisposable
{
    private const long MiB = 1 << 20;
    private const long Size = 200 * MiB;

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Little_of_a_volume_that_is_written_full_is_only_in_memory() =>
        Assert.InRange(await MostInMemoryAsync(run => host.Volumes.CreateVolumeAsync(
            host.Pool, new VolumeDefinition { Name = "v", Capacity = Size, Allocation = Size, Preallocation = Preallocation.Full }, run, Cancellation)), 0, 80 * MiB);

    [Fact]
    public async Task Little_of_a_copy_is_only_in_memory()
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/source", Size);
        Assert.InRange(await MostInMemoryAsync(run => host.CloneAsync(
            new VolumeDefinition { Name = "v", Preallocation = Preallocation.Full }, host.Source("source"), Cancellation, run: run)), 0, 80 * MiB);
    }

    public void Dispose() => host.Dispose();

    /// <summary>Bytes of the file that is made that were not on the disk, at the worst moment.</summary>
    private async Task<long> MostInMemoryAsync(Func<Run, Task> make)
    {
        await host.BuildAsync(Cancellation);
        var id = Guid.NewGuid();
        var most = 0L;
        await make(new Run(id, false, _ => Task.CompletedTask, new Looks(() =>
        {
            using var file = File.OpenHandle($"{host.Path}/{VolumeName.Temporary(id, "v")}", share: FileShare.ReadWrite);
            most = Math.Max(most, InMemory(file));
        })));
        return most;
    }

    private static long InMemory(SafeFileHandle file)
    {
        const int CacheStatus = 451;
        var all = new Range();
        if (Call(CacheStatus, file, ref all, out var pages, 0) < 0)
            Assert.Skip("this kernel does not tell what is only in memory (before 6.5)");
        return (long)(pages.Dirty + pages.Writeback) * Environment.SystemPageSize;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, SafeFileHandle file, ref Range range, out CachedPages pages, uint flags);

    /// <summary>struct cachestat_range; of no length: all of the file.</summary>
    private struct Range
    {
        public ulong Offset;
        public ulong Length;
    }

    /// <summary>struct cachestat.</summary>
    private struct CachedPages
    {
        public ulong Cached;
        public ulong Dirty;
        public ulong Writeback;
        public ulong Evicted;
        public ulong RecentlyEvicted;
    }

    private sealed class Looks(Action look) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => look();
    }
}
