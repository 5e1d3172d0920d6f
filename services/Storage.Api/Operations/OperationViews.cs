using Storage.Contracts;
using Storage.Ledger;

namespace Storage.Api;

/// <summary>Operations as the API shows them: with what they wait for, by the lines of the ledger.</summary>
public sealed class OperationViews(UsualDurations usual, TimeProvider clock)
{
    public async Task<OperationView> ViewAsync(LedgerDb db, OperationRow operation, CancellationToken cancellationToken) =>
        (await ViewAsync(db, [operation], cancellationToken))[0];

    public async Task<IReadOnlyList<OperationView>> ViewAsync(
        LedgerDb db, IReadOnlyList<OperationRow> operations, CancellationToken cancellationToken)
    {
        var queued = operations.Where(operation => operation.State == OperationState.Queued).Select(operation => operation.Id).ToList();
        var before = queued.Count == 0 ? new Dictionary<Guid, StandsBefore>()
            : await QueueLine.ReadAsync(db, queued, await usual.ReadAsync(db, cancellationToken), cancellationToken);
        var lost = operations.Any(operation => operation is { Ended: false, Queue: not null })
            ? await LostWorkers.QueuesAsync(db, cancellationToken) : new Dictionary<string, DateTimeOffset>();
        return operations.Select(operation => View(operation, before, lost)).ToList();
    }

    private OperationView View(
        OperationRow operation, IReadOnlyDictionary<Guid, StandsBefore> before, IReadOnlyDictionary<string, DateTimeOffset> lost)
    {
        var waiting = !operation.Ended && operation.HolderQueue is { } queue && lost.TryGetValue(queue, out var since)
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The worker of {queue} has not been heard since {since:u}.")
            : null;
        var view = OperationView.Of(operation) with { Waiting = waiting };
        if (operation.State != OperationState.Queued)
            return view;
        var older = before.GetValueOrDefault(operation.Id, StandsBefore.Nothing);
        return view with
        {
            Position = older.Count,
            WaitsFor = older.First,
            // Nobody knows when a lost worker comes back.
            EstimatedStartAt = waiting is null && older is { Count: > 0, Seconds: { } seconds } ? clock.GetUtcNow().AddSeconds(seconds) : null,
        };
    }
}
