using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>Tells the inventory who this worker is and what it can do, when it comes up and every <see cref="WorkerOptions.AnnounceInterval"/>.</summary>
internal sealed class Announcer(
    Reporter reporter, HostEvents events, PoolTypeProbe probe, PoolFamily family, Guid instance, IReadOnlyList<string> backingStores,
    TimeSpan interval, WorkerLease lease, TimeProvider time)
{
    private readonly DateTimeOffset startedAt = time.GetUtcNow();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(interval, time);
            do
            {
                var announcement = new WorkerAnnouncement(
                    events.Host, family, instance, ServiceTelemetry.Version, startedAt, await probe.ReadAsync(cancellationToken), backingStores);
                var made = time.GetTimestamp();
                // Waits while the inventory cannot be reached, so that announcements do not pile up.
                await reporter.ReportAsync(
                    events.Create(Resources.Worker(events.Host, family), new WorkerAnnounced(announcement), EventCause.System), cancellationToken);
                lease.Renew(made);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The worker stops; its silence is noticed.
        }
    }
}
