using Microsoft.Win32.SafeHandles;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class FileFlushTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("storage-flush-").FullName;

    [Fact]
    public void The_kernels_queue_takes_as_many_files_as_it_has_places_and_can_be_used_again()
    {
        List<SafeFileHandle> files = [.. Enumerable.Range(0, SyncQueue.Limit + 1).Select(i => File.OpenHandle(Path.Combine(folder, $"{i}"), FileMode.CreateNew, FileAccess.Write))];
        Span<int> errors = stackalloc int[SyncQueue.Limit];
        for (var time = 0; time < 3; time++)
        {
            errors.Fill(-1);
            Assert.Equal(SyncQueue.Limit, SyncQueue.Run(files.ToArray(), errors));
            Assert.Equal(new int[SyncQueue.Limit], errors.ToArray());
        }
        files.ForEach(file => file.Dispose());
    }

    [Fact]
    public void Of_many_files_the_one_that_cannot_be_synced_is_named()
    {
        using var first = File.OpenHandle(Path.Combine(folder, "first"), FileMode.CreateNew, FileAccess.Write);
        using var closed = new SafeFileHandle(1 << 20, ownsHandle: false);
        using var last = File.OpenHandle(Path.Combine(folder, "last"), FileMode.CreateNew, FileAccess.Write);
        var error = Assert.Throws<StorageException>(() => FileFlush.Complete([(first, "/pool/first"), (closed, "/pool/closed"), (last, "/pool/last")], CancellationToken.None)).Error;
        Assert.Equal(ErrorCodes.HostFailure, error.Code);
        Assert.Contains("/pool/closed", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
