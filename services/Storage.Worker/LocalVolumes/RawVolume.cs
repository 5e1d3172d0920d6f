using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Gives a new file its size and its blocks. Cancelled or failed, it leaves the file half made: removing it is the caller's.</summary>
internal static class RawVolume
{
    // Small enough to be cancelled and to show progress, large enough to cost nothing.
    private const long AllocationStep = 1L << 30;
    private const int ZeroStep = 1 << 20;

    /// <param name="file">An empty file.</param>
    /// <param name="capacity">Its size in bytes.</param>
    /// <param name="allocation">How many bytes from its start get blocks, at most the capacity; the rest stays a hole.</param>
    /// <param name="write">The blocks are written with zeros, not only taken.</param>
    public static void Fill(
        SafeFileHandle file, long capacity, long allocation, string path, IProgress<OperationProgress> progress, CancellationToken cancellationToken,
        bool write = false)
    {
        Truncate(file, capacity, path);
        Allocate(file, 0, allocation, mode: 0, canAllocate: !write, path, progress, cancellationToken);
    }

    /// <summary>
    /// Gives a file another size, at once: what is to be allocated is so before, behind its end. A failure or a cancel leaves the size of
    /// before.
    /// </summary>
    public static void Resize(
        SafeFileHandle file, VolumeResize resize, string path, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (resize is { Allocate: true } && resize.To > resize.From)
                Allocate(file, resize.From, resize.To - resize.From, LibC.KeepSize, canAllocate: true, path, progress, cancellationToken);
            Truncate(file, resize.To, path);
        }
        catch when (resize.To > resize.From)
        {
            // Also gives back the blocks behind the end.
            _ = LibC.Truncate(file, resize.From);
            throw;
        }
    }

    private static void Truncate(SafeFileHandle file, long size, string path)
    {
        if (LibC.Truncate(file, size) < 0)
            throw HostErrors.FromLast($"make {path} {size} bytes long", "capacity");
    }

    private static void Allocate(
        SafeFileHandle file, long start, long allocation, int mode, bool canAllocate, string path, IProgress<OperationProgress> progress,
        CancellationToken cancellationToken)
    {
        if (allocation == 0)
            return;
        // Servers of SMB say that they allocate, and take no blocks.
        canAllocate &= !FileSystemKind.IsSmb(file, path);
        var flush = new FileFlush(file, path);
        for (long done = 0; done < allocation;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (canAllocate)
            {
                var step = Math.Min(AllocationStep, allocation - done);
                if (LibC.Allocate(file, mode, start + done, step) == 0)
                    done += step;
                else if (HostErrors.Last is HostErrors.NotSupported or HostErrors.NotImplemented)
                    canAllocate = false;
                else if (HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"allocate {allocation} bytes for {path}", "allocation");
            }
            else
            {
                var written = WriteZeros(file, start + done, Math.Min(ZeroStep, allocation - done), path);
                flush.Wrote(start + done, written);
                done += written;
            }
            progress.Report(new OperationProgress(100.0 * done / allocation, done, allocation));
        }
    }

    private static unsafe long WriteZeros(SafeFileHandle file, long offset, long length, string path)
    {
        fixed (byte* zeros = Zeros)
        {
            while (true)
            {
                var written = LibC.Write(file, zeros, (nuint)length, offset);
                if (written > 0)
                    return written;
                if (written == 0 || HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"write zeros to {path}", "allocation");
            }
        }
    }

    private static readonly byte[] Zeros = new byte[ZeroStep];
}
