using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Storage.Worker;

/// <summary>What the kernel tells of a watched directory, as the bits of inotify(7).</summary>
[Flags]
internal enum DirectoryEvents : uint
{
    Attributes = 0x4,
    Written = 0x8,
    MovedAway = 0x40,
    MovedHere = 0x80,
    Created = 0x100,
    Deleted = 0x200,
    SelfDeleted = 0x400,
    SelfMoved = 0x800,
    Unmounted = 0x2000,
    Overflow = 0x4000,
    Ended = 0x8000,

    Names = Attributes | Written | MovedAway | MovedHere | Created | Deleted,
    Self = SelfDeleted | SelfMoved | Unmounted | Ended,
}

/// <param name="Watch">The watch that it is about; of no meaning for an overflow.</param>
/// <param name="What">What happened.</param>
/// <param name="Name">The entry; null where it is about the directory, or the name is no text.</param>
internal readonly record struct DirectoryChange(int Watch, DirectoryEvents What, string? Name);

/// <summary>
/// The directories that a process watches: one descriptor of inotify(7), read by one thread that touches no file system and so never
/// hangs with one. (The base library's watcher tells neither of a queue that ran over nor of an unmount.)
/// </summary>
internal sealed class DirectoryWatches : IDisposable
{
    private const uint OnlyDirectories = 0x0100_0000;
    private const int BufferSize = 64 << 10;

    // struct inotify_event: watch, mask, cookie, length of the name, the name padded with NUL.
    private const int MaskOffset = 4;
    private const int LengthOffset = 12;
    private const int NameOffset = 16;

    private readonly SafeFileHandle queue;
    private readonly SafeFileHandle stop;
    private readonly Action<DirectoryChange> heard;
    private readonly Thread thread;

    private DirectoryWatches(SafeFileHandle queue, SafeFileHandle stop, Action<DirectoryChange> heard)
    {
        (this.queue, this.stop, this.heard) = (queue, stop, heard);
        thread = new Thread(Listen) { IsBackground = true, Name = "storage watches" };
        thread.UnsafeStart();
    }

    /// <param name="heard">Called on the thread of the watches, which it must not hold up.</param>
    /// <returns>Null where the host gives no descriptor: errno says why.</returns>
    public static DirectoryWatches? TryOpen(Action<DirectoryChange> heard)
    {
        var queue = LibC.OpenWatches(OpenFlags.NonBlocking | OpenFlags.CloseOnExec);
        if (queue.IsInvalid)
            return null;
        var stop = LibC.OpenSignal(0, OpenFlags.CloseOnExec);
        if (!stop.IsInvalid)
            return new DirectoryWatches(queue, stop, heard);
        var errno = HostErrors.Last;
        queue.Dispose();
        Marshal.SetLastPInvokeError(errno);
        return null;
    }

    /// <returns>The number of the watch, the same one for a directory that is watched already; -1 where it cannot be: errno says why.</returns>
    public int Add(LocalDirectory directory) =>
        LibC.AddWatch(queue, LocalDirectory.ProcPath(directory.Handle), (uint)(DirectoryEvents.Names | DirectoryEvents.Self) & ~(uint)DirectoryEvents.Ended | OnlyDirectories);

    /// <summary>Ends a watch. One that has ended already stays so.</summary>
    public void Remove(int watch) => _ = LibC.RemoveWatch(queue, watch);

    public unsafe void Dispose()
    {
        ulong one = 1;
        _ = LibC.WriteNext(stop, (byte*)&one, sizeof(ulong));
        thread.Join();
        queue.Dispose();
        stop.Dispose();
    }

    private unsafe void Listen()
    {
        var buffer = new byte[BufferSize];
        var entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry((int)queue.DangerousGetHandle());
        entries[1] = new PollEntry((int)stop.DangerousGetHandle());
        fixed (byte* start = buffer)
        {
            while (true)
            {
                if (LibC.Poll(entries, 2, -1) < 0 && HostErrors.Last != HostErrors.Interrupted)
                    return;
                if (entries[1].Seen != 0)
                    return;
                var length = LibC.ReadNext(queue, start, BufferSize);
                if (length > 0)
                    Tell(buffer.AsSpan(0, (int)length));
                else if (length < 0 && HostErrors.Last is not (HostErrors.Interrupted or HostErrors.TryAgain))
                    return;
            }
        }
    }

    private void Tell(ReadOnlySpan<byte> events)
    {
        while (events.Length > 0)
        {
            var name = events.Slice(NameOffset, MemoryMarshal.Read<int>(events[LengthOffset..]));
            var end = name.IndexOf((byte)0);
            heard(new DirectoryChange(
                MemoryMarshal.Read<int>(events),
                (DirectoryEvents)MemoryMarshal.Read<uint>(events[MaskOffset..]),
                end > 0 ? DirectoryNames.Text(name[..end]) : null));
            events = events[(NameOffset + name.Length)..];
        }
    }
}
