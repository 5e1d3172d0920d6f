using Microsoft.Win32.SafeHandles;

namespace Storage.Worker;

/// <summary>
/// Brings what was written to a file to the disk part by part: a call that waits for gigabytes cannot be told from one that hangs
/// (decision 9).
/// </summary>
internal sealed class FileFlush(SafeFileHandle file, string path)
{
    /// <summary>Little enough for a slow disk to take it within <see cref="WorkerOptions.StorageAnswerLimit"/>.</summary>
    public const long Part = 64L << 20;

    /// <summary>A file of many TiB is mostly holes: its parts are larger.</summary>
    private const long MostParts = 1 << 16;

    private long unflushed;

    /// <summary>So many bytes more were written.</summary>
    public void Wrote(long bytes)
    {
        if ((unflushed += bytes) >= Part)
            Flush();
    }

    /// <summary>All bytes that were written are on the disk afterwards.</summary>
    public void Flush()
    {
        unflushed = 0;
        if (LibC.SyncData(file) < 0)
            throw HostErrors.FromLast($"sync {path}");
    }

    /// <summary>
    /// The file is on the disk afterwards with all that anybody wrote, a tool too, and with its size and mode. File systems and
    /// directories that cannot be synced are left alone.
    /// </summary>
    public static void Complete(SafeFileHandle file, string path, CancellationToken cancellationToken)
    {
        WriteOut(file, path, cancellationToken);
        if (LibC.Sync(file) < 0 && HostErrors.Last is not (HostErrors.Invalid or HostErrors.NotSupported))
            throw HostErrors.FromLast($"sync {path}");
    }

    /// <summary>Has all bytes of a file written out that are only in memory, so that what flushes it next finds nothing to wait for.</summary>
    public static void WriteOut(SafeFileHandle file, string path, CancellationToken cancellationToken)
    {
        if (LibC.Status(file, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            throw HostErrors.FromLast($"look at {path}");
        if (status.Kind != FileKind.Regular)
            return;
        var length = (long)status.Size;
        var part = Math.Max(Part, length / MostParts);
        for (long offset = 0; offset < length; offset += Math.Min(part, length - offset))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (LibC.WriteOutRange(file, offset, Math.Min(part, length - offset), LibC.WriteOutAndWait) == 0)
                continue;
            // Where this cannot be done, whoever flushes it does it at once.
            if (HostErrors.Last is HostErrors.NotImplemented or HostErrors.NotSupported or HostErrors.Invalid)
                return;
            throw HostErrors.FromLast($"sync {path}");
        }
    }
}
