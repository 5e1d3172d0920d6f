using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Reads the entries of a directory and hands over what they are in their order. The caller's thread reads, and beside it as many others
/// as its lane has readers free; alone, or outside a lane, it reads each entry when it is asked for. What is read and not yet handed over
/// is bounded. For one caller, who disposes of it before what it reads from.
/// </summary>
/// <param name="entries">What is to be read.</param>
/// <param name="read">Called once for each of them, by any of the threads. What it throws is thrown where its entry is handed over.</param>
internal sealed class SideBySideReads(IReadOnlyList<DirectoryEntry> entries, Func<DirectoryEntry, VolumeDefinition?> read) : IAsyncDisposable
{
    /// <summary>Some hundred KB, and long enough for the others to go on while one entry lets wait.</summary>
    private const int Ahead = 256;

    private readonly LaneWork? work = LaneWork.Running;
    private readonly List<Task> others = [];
    private readonly Lock gate = new();
    private readonly Task<VolumeDefinition?>?[] done = new Task<VolumeDefinition?>?[Ahead];
    private TaskCompletionSource? arrival;
    private int taken;
    private int handed;

    /// <returns>What the next entry is; null where it is no volume.</returns>
    public async ValueTask<VolumeDefinition?> NextAsync()
    {
        if (handed % (Ahead / 2) == 0)
            CallOthers();
        while (true)
        {
            if (TakeDone() is { } next)
                return await next;
            if (TryTake() is { } entry)
                Read(entry);
            else
                await ArrivalAsync();
        }
    }

    /// <summary>Waits for the others, who read nothing new.</summary>
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

    /// <summary>Ends where it is far enough ahead; another one is called later.</summary>
    private void ReadOn()
    {
        while (TryTake() is { } entry)
            Read(entry);
    }

    private void Read(int entry)
    {
        Task<VolumeDefinition?> result;
        try
        {
            result = Task.FromResult(read(entries[entry]));
        }
        catch (Exception e)
        {
            result = Task.FromException<VolumeDefinition?>(e);
        }
        lock (gate)
        {
            done[entry % Ahead] = result;
            if (entry == handed)
                arrival?.TrySetResult();
        }
    }

    private int? TryTake()
    {
        lock (gate)
            return taken < entries.Count && taken < handed + Ahead ? taken++ : null;
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
