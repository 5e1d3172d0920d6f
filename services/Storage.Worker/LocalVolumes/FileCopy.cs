using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Copies the bytes of a file into another one that is as long and holds nothing yet: holes stay holes. Cancelled between two chunks;
/// cancelled or failed, it leaves the target half filled.
/// </summary>
internal sealed class FileCopy(
    SafeFileHandle source, string sourcePath, SafeFileHandle target, string targetPath, long length,
    IProgress<OperationProgress> progress, CancellationToken cancellationToken)
{
    private const int Chunk = 8 << 20;
    private const int BufferSize = 1 << 20;

    /// <summary>What the least is that is left out where it is zeros.</summary>
    private const int ZeroStep = 64 << 10;

    private readonly FileFlush flush = new(target, targetPath);
    private byte[]? buffer;

    /// <summary>Zeros are not written: the target reads as zeros already. For sources that do not tell their holes.</summary>
    public bool LeaveZeros { get; init; }

    /// <summary>Makes the target share all of the source's blocks.</summary>
    /// <returns>False where the file system cannot; nothing is changed then.</returns>
    public static bool TryShare(SafeFileHandle source, SafeFileHandle target, string path)
    {
        if (LibC.Control(target, LibC.ShareBlocks, source) == 0)
            return true;
        return HostErrors.Last is HostErrors.NotSupported or HostErrors.NotImplemented or HostErrors.NotTerminal
            or HostErrors.CrossesBoundary or HostErrors.Invalid or HostErrors.BadFile or HostErrors.NotPermitted
            ? false
            : throw HostErrors.FromLast($"share the blocks of {path}");
    }

    /// <param name="ownBlocks">
    /// Every byte is read and written. Otherwise the kernel copies, which lets a server copy by itself and some file systems share.
    /// </param>
    public void Run(bool ownBlocks)
    {
        for (long offset = 0; Data(offset) is var (start, end) && start < length; offset = end)
        {
            for (offset = start; offset < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var part = (int)Math.Min(Chunk, end - offset);
                var copied = ownBlocks ? 0 : CopyInKernel(offset, part);
                ownBlocks |= copied == 0;
                if (copied == 0 && (copied = CopyByHand(offset, part)) == 0)
                    throw new StorageException(ErrorCodes.HostFailure, $"{sourcePath} became shorter while it was copied.");
                flush.Wrote(offset, copied);
                offset += copied;
                progress.Report(new OperationProgress(100.0 * offset / length, offset, length));
            }
        }
        progress.Report(new OperationProgress(100, length, length));
    }

    /// <summary>The next part that is no hole; at the length where there is none. All of it where the file system does not tell.</summary>
    private (long Start, long End) Data(long offset)
    {
        if (offset >= length)
            return (length, length);
        var start = LibC.Seek(source, offset, LibC.SeekData);
        if (start < 0)
        {
            return HostErrors.Last switch
            {
                HostErrors.NoSuchAddress => (length, length),
                HostErrors.Invalid or HostErrors.NotSupported => (offset, length),
                _ => throw HostErrors.FromLast($"look for holes in {sourcePath}"),
            };
        }
        var end = LibC.Seek(source, start, LibC.SeekHole);
        return (start, end < 0 ? length : Math.Min(end, length));
    }

    /// <returns>0 where the kernel cannot copy between these two, or sees an end.</returns>
    private long CopyInKernel(long offset, int count)
    {
        while (true)
        {
            long from = offset, to = offset;
            var copied = LibC.CopyRange(source, ref from, target, ref to, (nuint)count, 0);
            if (copied >= 0)
                return copied;
            switch (HostErrors.Last)
            {
                case HostErrors.Interrupted:
                    continue;
                case HostErrors.CrossesBoundary or HostErrors.Invalid or HostErrors.NotImplemented or HostErrors.NotSupported
                    or HostErrors.BadFile or HostErrors.NotPermitted:
                    return 0;
                default:
                    throw HostErrors.FromLast($"copy {sourcePath} to {targetPath}");
            }
        }
    }

    private unsafe long CopyByHand(long offset, int count)
    {
        buffer ??= new byte[BufferSize];
        fixed (byte* start = buffer)
        {
            nint read;
            while ((read = LibC.Read(source, start, (nuint)Math.Min(count, LeaveZeros ? ZeroStep : BufferSize), offset)) < 0)
            {
                if (HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"read {sourcePath}");
            }
            if (LeaveZeros && buffer.AsSpan(0, (int)read).IndexOfAnyExcept((byte)0) < 0)
                return read;
            for (nint written, at = 0; at < read; at += Math.Max(0, written))
            {
                written = LibC.Write(target, start + at, (nuint)(read - at), offset + at);
                if (written == 0 || written < 0 && HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"write {targetPath}");
            }
            return read;
        }
    }
}
