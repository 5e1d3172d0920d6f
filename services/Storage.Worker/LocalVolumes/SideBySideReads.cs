using System.Diagnostics;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Reads the entries of a directory and hands over what they are in their order. The caller's thread reads, and beside it as many others
/// as its lane has readers free; alone, or outside a lane, it reads each entry when it is asked for. What is read and not yet handed over
/// is bounded. For one caller, who disposes of it before what it reads from.
/// </summary>
/// <param name="entries">What is to be read.</param>
/// <param name="reader">Called once for each of them, by any of the threads. What it throws is thrown where its entry is handed over.</param>
internal sealed class SideBySideReads(IReadOnlyList<DirectoryEntry> entries, Func<DirectoryEntry, VolumeDefinition?> reader) : IAsyncDisposable
{
    /// <summary>Some hundred KB, and long enough for the others to go on while one entry lets wait.</summary>
    private const int Ahead = 256;

    /// <summary>Another thread takes some entries at once: where looking at one takes microseconds, they would wait for each other at every one.</summary>
    private const int Together = 8;

    /// <summary>And fewer towards the end, so that all have something to do until it.</summary>
    private const int Shares = 32;

    /// <summary>An entry that takes longer lets its thread wait. One in the kernel's caches takes some microseconds, and is not worth waking a thread.</summary>
    private static readonly TimeSpan WithoutWaiting = TimeSpan.FromMicroseconds(100);

    private readonly LaneWork? work = LaneWork.Running;
    private readonly List<Task> others = [];
    private readonly Lock gate = new();
    private readonly Task<VolumeDefinition?>?[] done = new Task<VolumeDefinition?>?[Ahead];
    private TaskCompletionSource? arrival;
    private int taken;
    private int handed;
    private int read;
    private TimeSpan spent;

    /// <returns>What the next entry is; null where it is no volume.</returns>
    public async ValueTask<VolumeDefinition?> NextAsync()
    {
        if (handed % (Ahead / 2) == 0 && (handed == 0 || HasWaited()))
            CallOthers();
        while (true)
        {
            if (TakeDone() is { } next)
                return await next;
            if (!TryRead(most: 1))
                await ArrivalAsync();
        }
    }

    /// <summary>Waits for the others, who take nothing new.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate)
            taken = entries.Count;
        await Task.WhenAll(others);
    }

    private void CallOthers()
    {
        others.RemoveAll(other => other.IsCompletedSuccessfully);
        while (handed < entries.Count - 1 && work?.TryReadBeside(ReadOn) is { } other)
            others.Add(other);
    }

    /// <summary>Whether reading has let threads wait since this was asked for last.</summary>
    private bool HasWaited()
    {
        lock (gate)
        {
            var waited = spent > WithoutWaiting * read;
            (read, spent) = (0, TimeSpan.Zero);
            return waited;
        }
    }

    /// <summary>Ends where it is far enough ahead; another one is called later, where that is worth it.</summary>
    private void ReadOn()
    {
        while (TryRead(Together))
        {
        }
    }

    /// <summary>Takes entries that nobody has taken, and reads them; false where there are none within what may be read ahead.</summary>
    private bool TryRead(int most)
    {
        int first, end;
        lock (gate)
        {
            first = taken;
            end = Math.Min(first + Math.Clamp((entries.Count - first) / Shares, 1, most), Math.Min(entries.Count, handed + Ahead));
            if (end <= first)
                return false;
            taken = end;
        }
        var began = Stopwatch.GetTimestamp();
        for (var entry = first; entry < end; entry++)
            Volatile.Write(ref done[entry % Ahead], Read(entries[entry]));
        lock (gate)
        {
            read += end - first;
            spent += Stopwatch.GetElapsedTime(began);
            if (done[handed % Ahead] is not null)
                arrival?.TrySetResult();
        }
        return true;
    }

    private Task<VolumeDefinition?> Read(DirectoryEntry entry)
    {
        try
        {
            return Task.FromResult(reader(entry));
        }
        catch (Exception e)
        {
            return Task.FromException<VolumeDefinition?>(e);
        }
    }

    private Task<VolumeDefinition?>? TakeDone()
    {
        lock (gate)
        {
            var next = done[handed % Ahead];
            if (next is null)
                return null;
            done[handed % Ahead] = null;
            handed++;
            return next;
        }
    }

    private Task ArrivalAsync()
    {
        lock (gate)
        {
            if (done[handed % Ahead] is not null)
                return Task.CompletedTask;
            arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return arrival.Task;
        }
    }
}
