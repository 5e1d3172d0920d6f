using System.Text.Json;
using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// Takes in what workers report, many reports to a transaction: logs the events, brings the inventory up to date, ends operations and
/// dispatches those that waited for them. An event that is known already, or late, changes nothing.
/// </summary>
public sealed partial class ReportProjector : IAsyncDisposable
{
    private const int BatchLimit = 64;

    private readonly LedgerWriter writer;
    private readonly ILogger<ReportProjector> logger;
    private readonly GroupCommit<ReadReport, ReportTaken> commits;

    public ReportProjector(LedgerWriter writer, ILogger<ReportProjector> logger)
    {
        (this.writer, this.logger) = (writer, logger);
        commits = new(WriteAsync, BatchLimit);
    }

    /// <summary>Returns when the report is committed; only then may its message be acknowledged.</summary>
    public Task<ReportTaken> ProjectAsync(HostReport report, CancellationToken cancellationToken) =>
        commits.AddAsync(new ReadReport(report), cancellationToken);

    /// <summary>Ends when no report waits and none is being written in this process; at once where that is so.</summary>
    public Task QuietAsync() => commits.QuietAsync();

    public ValueTask DisposeAsync() => commits.DisposeAsync();

    private async Task<IReadOnlyList<Outcome<ReportTaken>>> WriteAsync(IReadOnlyList<ReadReport> reports, CancellationToken cancellationToken)
    {
        try
        {
            await using var ledger = await writer.BeginAsync(ReportBatch.NeedsOf(reports), cancellationToken);
            var batch = new ReportBatch(ledger, logger);
            await batch.ApplyAsync(reports, cancellationToken);
            await ledger.CommitAsync(cancellationToken);
            return [.. reports.Select(read => new Outcome<ReportTaken>(batch.Answer(read.Report), null))];
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            BatchFailed(logger, reports.Count, e);
            throw;
        }
    }

    [LoggerMessage(4003, LogLevel.Warning, "A batch of {Count} reports could not be written.")]
    private static partial void BatchFailed(ILogger logger, int count, Exception exception);
}

/// <summary>The reports of one transaction.</summary>
internal sealed partial class ReportBatch(LedgerTransaction ledger, ILogger logger)
{
    /// <summary>When a pool that is not accessible is looked at again.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(30);

    private readonly OperationQueue queue = new(ledger);
    private readonly Dictionary<Guid, KnownRanges> compared = [];

    /// <summary>What reports are about.</summary>
    public static Wanted NeedsOf(IReadOnlyList<ReadReport> reports)
    {
        var wanted = new Wanted();
        foreach (var entry in reports.SelectMany(read => read.Report.Events))
        {
            wanted.Events.Add(entry.EventId);
            if (entry.CommandId is { } operation)
                wanted.Operations.Add(operation);
            if (Resources.PoolOf(entry.Resource) is not { } pool)
                continue;
            wanted.Pools.Add(pool);
            if (Resources.VolumeOf(entry.Resource) is { } volume)
                wanted.AddVolume(pool, volume);
        }
        return wanted;
    }

    /// <summary>What is said to the worker, once the transaction is committed.</summary>
    public ReportTaken Answer(HostReport report)
    {
        List<KnownRanges> known = [.. report.Events.Select(entry => compared.GetValueOrDefault(entry.EventId)).OfType<KnownRanges>()];
        return new ReportTaken(report.Events.Count, known.Count == 0 ? null : known);
    }

    public async Task ApplyAsync(IReadOnlyList<ReadReport> reports, CancellationToken cancellationToken)
    {
        var events = reports.SelectMany(read => read.Report.Events.Select(entry => (Entry: entry, Read: read))).DistinctBy(told => told.Entry.EventId)
            .Where(told => !ledger.Opening.LoggedEvents.Contains(told.Entry.EventId));
        foreach (var (entry, read) in events)
        {
            try
            {
                await ApplyAsync(entry, read, cancellationToken);
            }
            catch (JsonException e)
            {
                // It would never become readable, and everything after it would wait for it.
                Unreadable(logger, entry.EventId, entry.Type, entry.Resource, e);
            }
        }
        await queue.AdvanceAsync(cancellationToken);
    }

    [LoggerMessage(4006, LogLevel.Error, "Event {EventId} of type {Type} about {Resource} cannot be read and is passed over.")]
    private static partial void Unreadable(ILogger logger, Guid eventId, string type, string resource, Exception exception);

    private async Task ApplyAsync(StorageEvent entry, ReadReport read, CancellationToken cancellationToken)
    {
        switch (entry.Type)
        {
            case nameof(VolumesObserved):
                await RefreshProjection.ApplyAsync(ledger, entry, read.RangeOf(entry), cancellationToken);
                break;
            case nameof(VolumesCompared):
                compared[entry.EventId] = new KnownRanges(
                    entry.EventId, await RefreshProjection.CompareAsync(ledger, entry.Read<VolumesCompared>(), cancellationToken));
                break;
            case nameof(VolumesSeen):
                await RefreshProjection.ApplyAsync(ledger, entry, entry.Read<VolumesSeen>(), cancellationToken);
                break;
            case nameof(PoolRefreshWanted):
                await WantRefreshAsync(entry.Read<PoolRefreshWanted>(), cancellationToken);
                break;
            case nameof(WorkerAnnounced):
                await new WorkerWatch(ledger, queue).AnnounceAsync(entry, cancellationToken);
                break;
            case nameof(OperationProgressed):
                OnProgress(entry);
                break;
            case nameof(OperationSucceeded):
                await EndAsync(entry, OperationState.Succeeded, null, entry.Read<OperationSucceeded>().Result?.GetRawText(), cancellationToken);
                break;
            case nameof(OperationFailed):
                await EndAsync(entry, OperationState.Failed, entry.Read<OperationFailed>().Error, null, cancellationToken);
                break;
            case nameof(OperationCancelled):
                await EndAsync(entry, OperationState.Cancelled, null, null, cancellationToken);
                break;
            case nameof(PoolSourcesFound):
                ledger.Log(entry);
                break;
            default:
                await OnStateAsync(entry, read.VolumeOf(entry), cancellationToken);
                break;
        }
    }

    private async Task OnStateAsync(StorageEvent entry, ToldVolume? told, CancellationToken cancellationToken)
    {
        if (entry.Type == nameof(PoolStateChanged) && await IsKnownAsync(entry, cancellationToken))
            return;
        if (!await InventoryProjection.ApplyAsync(ledger.Inventory, entry, told, cancellationToken))
            return;
        ledger.Log(entry);
        if (Resources.PoolOf(entry.Resource) is not { } id || await ledger.Inventory.PoolAsync(id, cancellationToken) is not { } pool)
            return;
        if (entry.Type is nameof(PoolStarted) or nameof(PoolStopped))
            pool.AutostartDue = false;
        if (!pool.Persistent && entry.Type is nameof(PoolStopped))
            await LedgerCommands.UndefineAsync(ledger, pool, EventCause.System, entry.CommandId, cancellationToken);
    }

    /// <summary>
    /// A pool that is not accessible is looked at again soon, until it is. That it still is not, for the same reason, is no news.
    /// </summary>
    private async Task<bool> IsKnownAsync(StorageEvent entry, CancellationToken cancellationToken)
    {
        var change = entry.Read<PoolStateChanged>();
        if (await ledger.Inventory.PoolAsync(change.PoolId, cancellationToken) is not { } pool)
            return false;
        // No run saw it: the worker's watch did, just before the pool was stopped.
        if (entry.CommandId is null && !pool.Active)
            return true;
        if (change.State is PoolState.Inaccessible)
            pool.NotBefore = ledger.Now + LookAgain;
        return pool.State == change.State && pool.Problem == change.Reason;
    }

    /// <summary>The sweep refreshes the pool, unless it is known to be out of reach and has its time to be looked at.</summary>
    private async Task WantRefreshAsync(PoolRefreshWanted wanted, CancellationToken cancellationToken)
    {
        if (await ledger.Inventory.PoolAsync(wanted.PoolId, cancellationToken) is not { State: PoolState.Running or PoolState.Degraded } pool)
            return;
        RefreshWanted(logger, pool.Name, wanted.Reason);
        pool.NotBefore = ledger.Now;
    }

    private void OnProgress(StorageEvent entry)
    {
        if (Open(entry) is not { } operation)
            return;
        operation.State = OperationState.Running;
        operation.Progress = StorageJson.ToElement(entry.Read<OperationProgressed>().Progress).GetRawText();
        ledger.Log(entry);
    }

    private async Task EndAsync(
        StorageEvent entry, OperationState state, StorageError? error, string? result, CancellationToken cancellationToken)
    {
        if (Open(entry) is not { } operation)
            return;
        if (state is OperationState.Cancelled && operation is { CancelRequested: false, ExpiryRequested: true })
        {
            // The worker ended it unbegun because its deadline had passed.
            queue.Expire(operation);
            return;
        }
        ledger.Log(entry);
        queue.Close(operation, state, error, result);
        if (operation is { Command: nameof(StartPool), Cause: EventCause.System, PoolId: { } poolId }
            && await ledger.Inventory.PoolAsync(poolId, cancellationToken) is { } pool)
            WorkerWatch.OnAutostartEnded(pool, state, error, ledger.Now);
        // One of our own that came to nothing would be due again at once.
        if (operation is { Command: nameof(RefreshPool), Cause: EventCause.System, PoolId: { } refreshed } && state is not OperationState.Succeeded
            && await ledger.Inventory.PoolAsync(refreshed, cancellationToken) is { Active: true } unrefreshed)
            unrefreshed.NotBefore ??= ledger.Now + LookAgain;
    }

    /// <summary>The operation of an event that moves it on; null for one that is not known or has ended.</summary>
    private OperationRow? Open(StorageEvent entry)
    {
        if (entry.CommandId is not { } id || !ledger.Opening.Operations.TryGetValue(id, out var operation))
            return null;
        if (!operation.Ended)
        {
            // Only its holder moves it on: a replica that lost it may have been overtaken, and its successors must not start yet.
            if (!operation.Shared || operation.Worker == entry.Host)
                return operation;
            Overtaken(logger, entry.Type, operation.Id, entry.Host, operation.Worker);
            return null;
        }
        Late(logger, entry.Type, operation.Id, operation.State);
        return null;
    }

    [LoggerMessage(4007, LogLevel.Information, "{Type} of operation {OperationId} came after it had ended as {State} and is passed over.")]
    private static partial void Late(ILogger logger, string type, Guid operationId, OperationState state);

    [LoggerMessage(4011, LogLevel.Information, "Pool {Pool} is to be refreshed: {Reason}")]
    private static partial void RefreshWanted(ILogger logger, string pool, string reason);

    [LoggerMessage(4010, LogLevel.Information, "{Type} of operation {OperationId} from {Host} is passed over: its holder is {Holder}.")]
    private static partial void Overtaken(ILogger logger, string type, Guid operationId, string? host, string? holder);
}
