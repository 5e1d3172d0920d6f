using Microsoft.Win32.SafeHandles;

namespace Storage.Worker;

/// <summary>
/// Brings what was written to a file to the disk part by part: a call that waits for gigabytes cannot be told from one that hangs
/// (decision 9).
/// </summary>
public sealed class FileFlush(SafeFileHandle file, string path)
{
    /// <summary>Little enough for a slow disk to take it within <see cref="WorkerOptions.StorageAnswerLimit"/>.</summary>
    public const long Part = 64L << 20;

    /// <summary>A file of many TiB is mostly holes: its parts are larger.</summary>
    private const long MostParts = 1 << 16;

    /// <summary>What begins to go to the disk at once, while the next is written.</summary>
    private const long Step = 16L << 20;

    private (long Offset, long Length) written;
    private (long Offset, long Length) underWay;

    /// <summary>So many bytes from there on were written: they are on their way to the disk soon, and what was before them is there.</summary>
    public void Wrote(long offset, long bytes)
    {
        // What lies between is a hole, or was written before.
        written = written.Length == 0 ? (offset, bytes) : (written.Offset, offset + bytes - written.Offset);
        if (written.Length < Step)
            return;
        if (!TryWriteOut(file, path, written, LibC.WriteOut) || underWay.Length > 0 && !TryWriteOut(file, path, underWay, LibC.WriteOutAndWait))
            Flush();
        (underWay, written) = (written, default);
    }

    /// <summary>All bytes that were written are on the disk afterwards.</summary>
    public void Flush()
    {
        (underWay, written) = (default, default);
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
        Require(LibC.Sync(file) < 0 ? HostErrors.Last : 0, path);
    }

    /// <summary>As <see cref="Complete(SafeFileHandle, string, CancellationToken)"/>, for files with little in them, all at the same time.</summary>
    public static void Complete(IReadOnlyList<(SafeFileHandle Handle, string Path)> files, CancellationToken cancellationToken)
    {
        if (files.Count == 0)
            return;
        var handles = files.Select(file => file.Handle).ToArray();
        var isLocal = FileSystemKind.IsLocal(files[0].Handle, files[0].Path);
        Span<int> errors = stackalloc int[SyncQueue.Limit];
        for (int first = 0, taken; first < files.Count; first += taken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            taken = isLocal ? SyncQueue.Run(handles.AsSpan(first), errors) : 0;
            for (var i = 0; i < taken; i++)
                Require(errors[i], files[first + i].Path);
            if (taken > 0)
                continue;
            Complete(files[first].Handle, files[first].Path, cancellationToken);
            taken = 1;
        }
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
            // Where this cannot be done, whoever flushes it does it at once.
            if (!TryWriteOut(file, path, (offset, Math.Min(part, length - offset)), LibC.WriteOutAndWait))
                return;
        }
    }

    private static bool TryWriteOut(SafeFileHandle file, string path, (long Offset, long Length) range, uint how)
    {
        if (LibC.WriteOutRange(file, range.Offset, range.Length, how) == 0)
            return true;
        return HostErrors.Last is HostErrors.NotImplemented or HostErrors.NotSupported or HostErrors.Invalid
            ? false
            : throw HostErrors.FromLast($"sync {path}");
    }

    private static void Require(int errno, string path)
    {
        if (errno is not (0 or HostErrors.Invalid or HostErrors.NotSupported))
            throw HostErrors.From(errno, $"sync {path}");
    }
}
