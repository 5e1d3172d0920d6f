using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>One of the workers of the network family, as the ledger knows it: by its words alone.</summary>
internal sealed class Replica(LedgerFixture ledger, string host)
{
    private Guid instance = Guid.NewGuid();

    public string Host { get; } = host;

    public Task AnnounceAsync() => ReportAsync(Event(
        new WorkerAnnounced(new WorkerAnnouncement(Host, PoolFamily.Network, instance, "1", DateTimeOffset.UnixEpoch,
            [new PoolTypeSupport(PoolType.Rbd, true, null, ["CreateVolume", "DeleteVolume"], [new FormatSupport("raw", true)], [])])),
        Resources.Worker(Host, PoolFamily.Network)));

    /// <summary>Its process ends and another one begins.</summary>
    public Task RestartAsync()
    {
        instance = Guid.NewGuid();
        return AnnounceAsync();
    }

    public Task<RunHold> AskAsync(Guid operation, string? plan = null) => ledger.Get<RunHolds>().AskAsync(
        new HoldRun(operation, PoolFamily.Network, Host, instance, plan), TestContext.Current.CancellationToken);

    public async Task<HoldDecision> DecisionAsync(Guid operation) => (await AskAsync(operation)).Decision;

    public Task ReportAsync(params StorageEvent[] events) => ledger.Get<ReportProjector>().ProjectAsync(
        new HostReport(Host, PoolFamily.Network, instance, events), TestContext.Current.CancellationToken);

    public StorageEvent Event<T>(T data, string resource, Guid? command = null)
        where T : notnull => ledger.Event(data, resource, command) with { Host = Host };

    public StorageEvent Success(Guid operation) => ledger.Success(operation) with { Host = Host };

    public StorageEvent Cancelled(Guid operation) => ledger.Cancelled(operation) with { Host = Host };

    public StorageEvent Progress(Guid operation) =>
        Event(new OperationProgressed(operation, new OperationProgress(1)), Resources.Operation(operation), operation);
}
