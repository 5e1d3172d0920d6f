using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Storage.Worker;

/// <summary>
/// Syncs many files at the same time by the kernel's own queue, on its threads: the disk flushes once what it would be asked to flush for each.
/// Source of fact: io_submit(2), <c>IOCB_CMD_FSYNC</c>, Linux 4.18 and later on any file system.
/// </summary>
public static unsafe partial class SyncQueue
{
    /// <summary>How many files at most are synced by one call.</summary>
    public const int Limit = 64;

    private const ushort Sync = 2;

    private static readonly (nint Setup, nint Submit, nint Events)? Calls = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (206, 209, 208),
        Architecture.Arm64 => (0, 2, 4),
        _ => null,
    };

    /// <summary>Making a queue takes little, ending one waits for all processors: they are used again. There are no more than were ever used at a time.</summary>
    private static readonly ConcurrentBag<nint> Idle = [];

    /// <summary>Syncs as many of the files as the kernel takes, from the first on, and returns when that is done.</summary>
    /// <param name="errors">For each of them its errno, or 0.</param>
    /// <returns>How many were taken; 0 where there is no such queue.</returns>
    public static int Run(ReadOnlySpan<SafeFileHandle> files, Span<int> errors)
    {
        if (Calls is not { } calls || files.IsEmpty || Queue(calls.Setup) is not { } queue)
            return 0;
        var count = Math.Min(files.Length, Limit);
        var wanted = stackalloc Request[count];
        var places = stackalloc Request*[count];
        for (var i = 0; i < count; i++)
        {
            wanted[i] = new Request { Data = (ulong)i, Operation = Sync, File = (int)files[i].DangerousGetHandle() };
            places[i] = wanted + i;
        }
        var taken = (int)Math.Max(0, Call(calls.Submit, queue, count, (nint)places, 0, 0));
        var ended = stackalloc Completion[count];
        for (var done = 0; done < taken;)
        {
            var more = (int)Call(calls.Events, queue, taken - done, taken - done, (nint)ended, 0);
            if (more < 0 && HostErrors.Last != HostErrors.Interrupted)
                throw HostErrors.FromLast("wait for files to be synced");
            for (var i = 0; i < more; i++)
                errors[(int)ended[i].Data] = (int)Math.Max(0, -ended[i].Result);
            done += Math.Max(0, more);
        }
        Idle.Add(queue);
        return taken;
    }

    private static nint? Queue(nint setup)
    {
        if (Idle.TryTake(out var idle))
            return idle;
        nint made = 0;
        return Call(setup, Limit, (nint)(&made), 0, 0, 0) == 0 ? made : null;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint first, nint second, nint third, nint fourth, nint fifth);

    /// <summary><c>struct iocb</c> of linux/aio_abi.h.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Request
    {
        [FieldOffset(0)]
        public ulong Data;

        [FieldOffset(16)]
        public ushort Operation;

        [FieldOffset(20)]
        public int File;
    }

    /// <summary><c>struct io_event</c> of linux/aio_abi.h.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct Completion
    {
        [FieldOffset(0)]
        public ulong Data;

        [FieldOffset(16)]
        public long Result;
    }
}
