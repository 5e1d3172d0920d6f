using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Overwrites the bytes of an open file. Each pass is on the disk before the next begins, and the last one is read back from there.
/// Cancelled between two chunks.
/// </summary>
internal sealed class FileWipe(SafeFileHandle file, long length, string path, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
{
    /// <summary>A multiple of every pattern's length, so that each chunk begins as the first does.</summary>
    private const int Chunk = 3 << 20;

    private const long DiscardStep = 1L << 30;

    private readonly int chunk = (int)Math.Min(Chunk, Math.Max(1, length));
    private readonly FileFlush flush = new(file, path);
    private long done;
    private long total;

    /// <param name="pass">The pass to begin with.</param>
    /// <param name="offset">
    /// What lies before it has been overwritten by that pass. The last one begins anew where it is random: of what it wrote before, nobody can
    /// tell any more how it has to read back.
    /// </param>
    /// <param name="onDisk">Told the pass and the offset up to which all is on the disk.</param>
    public async Task OverwriteAsync(IReadOnlyList<WipePass> passes, int pass, long offset, Func<int, long, Task> onDisk)
    {
        total = checked(length * (passes.Count + 1));
        offset = pass == passes.Count - 1 && passes[pass].IsRandom ? 0 : offset - offset % Chunk;
        done = pass * length + offset;
        // What others wrote to it would all be flushed with the first part.
        FileFlush.WriteOut(file, path, cancellationToken);
        for (; pass < passes.Count; pass++, offset = 0)
        {
            using var content = new PassContent(passes[pass], chunk);
            while (offset < length)
            {
                offset = Write(content, offset);
                await onDisk(pass, offset);
            }
            if (pass == passes.Count - 1)
                ReadBack(content);
        }
    }

    /// <summary>Gives the blocks back to the file system: they read as zeros, and nothing is written over what they held.</summary>
    /// <returns>False where the file system cannot; nothing is changed then.</returns>
    public bool TryDiscard()
    {
        total = length;
        for (long offset = 0; offset < length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var step = Math.Min(DiscardStep, length - offset);
            if (LibC.Allocate(file, LibC.PunchHole | LibC.KeepSize, offset, step) < 0)
            {
                if (HostErrors.Last == HostErrors.Interrupted)
                    continue;
                if (offset == 0 && HostErrors.Last is HostErrors.NotSupported or HostErrors.NotImplemented)
                    return false;
                throw HostErrors.FromLast($"discard the blocks of {path}");
            }
            offset += step;
            Report(step);
        }
        flush.Flush();
        return true;
    }

    /// <returns>Where it has come to with what is on the disk.</returns>
    private long Write(PassContent content, long offset)
    {
        for (var until = Math.Min(length, offset + FileFlush.Part); offset < until;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = content.At(offset, (int)Math.Min(chunk, length - offset));
            WriteAll(part, offset);
            offset += part.Length;
            Report(part.Length);
        }
        flush.Flush();
        return offset;
    }

    private void ReadBack(PassContent content)
    {
        // What is on the disk is read, not what is still in memory.
        _ = LibC.Advise(file, 0, 0, LibC.DropFromCache);
        var read = new byte[chunk];
        for (long offset = 0; offset < length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = read.AsSpan(0, (int)Math.Min(chunk, length - offset));
            ReadAll(part, offset);
            if (part.CommonPrefixLength(content.At(offset, part.Length)) is var same && same < part.Length)
                throw new StorageException(
                    ErrorCodes.HostFailure, $"{path} reads back otherwise than it was overwritten, from byte {offset + same} on.");
            offset += part.Length;
            Report(part.Length);
        }
    }

    private unsafe void WriteAll(ReadOnlySpan<byte> bytes, long offset)
    {
        fixed (byte* start = bytes)
        {
            for (nint written, at = 0; at < bytes.Length; at += Math.Max(0, written))
            {
                written = LibC.Write(file, start + at, (nuint)(bytes.Length - at), offset + at);
                if (written == 0 || written < 0 && HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"overwrite {path}");
            }
        }
    }

    private unsafe void ReadAll(Span<byte> bytes, long offset)
    {
        fixed (byte* start = bytes)
        {
            for (nint read, at = 0; at < bytes.Length; at += Math.Max(0, read))
            {
                read = LibC.Read(file, start + at, (nuint)(bytes.Length - at), offset + at);
                if (read == 0)
                    throw new StorageException(ErrorCodes.HostFailure, $"{path} became shorter while it was overwritten.");
                if (read < 0 && HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"read {path} back");
            }
        }
    }

    private void Report(long bytes)
    {
        done += bytes;
        progress.Report(new OperationProgress(100.0 * done / total, done, total));
    }
}
