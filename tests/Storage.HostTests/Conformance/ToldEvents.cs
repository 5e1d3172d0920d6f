using System.Collections.Concurrent;
using System.Diagnostics;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>What workers told, and who waits for it.</summary>
internal sealed class ToldEvents : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<StorageEvent>> ends = [];
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> progress = [];
    private readonly ConcurrentQueue<StorageEvent> events = [];
    private readonly SemaphoreSlim told = new(0);

    public IEnumerable<StorageEvent> All => events;

    public void Take(HostReport report)
    {
        foreach (var entry in report.Events)
        {
            events.Enqueue(entry);
            if (entry.Type is nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled))
                End(entry.CommandId!.Value).TrySetResult(entry);
            else if (entry.Type == nameof(OperationProgressed))
                Progress(entry.CommandId!.Value).TrySetResult();
        }
        told.Release();
    }

    /// <summary>The operation's terminal event.</summary>
    public Task<StorageEvent> EndOfAsync(Guid operation) => End(operation).Task;

    /// <summary>Ends when the operation has run for so long that it is told how far it is.</summary>
    public Task RunsAsync(Guid operation) => Progress(operation).Task;

    /// <summary>The first event so far, or to come, that is wanted. For one waiter at a time.</summary>
    public async Task<StorageEvent> FirstAsync(Func<StorageEvent, bool> wanted, TimeSpan? patience = null)
    {
        var limit = patience ?? Patience;
        var asked = Stopwatch.GetTimestamp();
        while (limit - Stopwatch.GetElapsedTime(asked) is var left && left > TimeSpan.Zero)
        {
            if (events.FirstOrDefault(wanted) is { } found)
                return found;
            await told.WaitAsync(left, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException($"Nothing of what is wanted among: {string.Join('\n', events.Select(told => $"{told.Type} {told.Resource} {told.Data}"))}");
    }

    public void Dispose() => told.Dispose();

    private TaskCompletionSource<StorageEvent> End(Guid operation) =>
        ends.GetOrAdd(operation, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private TaskCompletionSource Progress(Guid operation) =>
        progress.GetOrAdd(operation, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
