using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>Where a worker's reports arrive.</summary>
internal sealed class ReportInbox
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Lock gate = new();
    private readonly List<StorageEvent> events = [];
    private readonly List<HostReport> reports = [];
    private TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>As while the broker is away.</summary>
    public bool Away { get; set; }

    public int Refused { get; private set; }

    /// <summary>Says which ranges of a refresh are known as they are.</summary>
    public Func<VolumesCompared, IEnumerable<int>> Known { get; set; } = _ => [];

    public IReadOnlyList<StorageEvent> Events
    {
        get
        {
            lock (gate)
                return [.. events];
        }
    }

    public IReadOnlyList<HostReport> Reports
    {
        get
        {
            lock (gate)
                return [.. reports];
        }
    }

    public Task<ReportTaken> SendAsync(HostReport report, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (Away)
                Refused++;
            else
            {
                reports.Add(report);
                events.AddRange(report.Events);
            }
            arrived.SetResult();
            arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return Away
            ? Task.FromException<ReportTaken>(new TimeoutException("The broker is away."))
            : Task.FromResult(new ReportTaken(report.Events.Count, [.. report.Events
                .Where(told => told.Type == nameof(VolumesCompared))
                .Select(told => new KnownRanges(told.EventId, [.. Known(told.Read<VolumesCompared>())]))]));
    }

    public async Task UntilAsync(Func<ReportInbox, bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task next;
            lock (gate)
                next = arrived.Task;
            if (condition(this))
                return;
            await next.WaitAsync(patience.Token);
        }
    }

    public async Task<StorageEvent> FirstAsync<T>(Guid? operation = null)
    {
        bool Wanted(StorageEvent seen) => seen.Type == typeof(T).Name && (operation is null || seen.CommandId == operation);
        await UntilAsync(inbox => inbox.Events.Any(Wanted));
        return Events.First(Wanted);
    }

    /// <summary>The terminal event of an operation.</summary>
    public async Task<StorageEvent> EndAsync(Guid operation)
    {
        await UntilAsync(inbox => inbox.Events.Any(seen => IsEnd(seen, operation)));
        return Events.First(seen => IsEnd(seen, operation));
    }

    public int Ends(Guid operation) => Events.Where(seen => IsEnd(seen, operation)).Select(seen => seen.EventId).Distinct().Count();

    public async Task<StorageError> ErrorAsync(Guid operation)
    {
        var end = await EndAsync(operation);
        Assert.Equal(nameof(OperationFailed), end.Type);
        return end.Data.Deserialize<OperationFailed>(StorageJson.Options)!.Error;
    }

    private static bool IsEnd(StorageEvent seen, Guid operation) => seen.CommandId == operation
        && seen.Type is nameof(OperationSucceeded) or nameof(OperationFailed) or nameof(OperationCancelled) && seen.CommandId == operation;
}
