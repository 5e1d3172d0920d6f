using MassTransit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Worker;

/// <summary>
/// Runs a <see cref="FamilyWorker"/> on the bus of the process. It takes messages only once the worker is active: what a standby
/// took would wait for nothing. Healthy while active, so that a standby is live but not ready.
/// </summary>
internal sealed class WorkerService(FamilyWorker worker, IReceiveEndpointConnector bus) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan DisconnectGrace = TimeSpan.FromSeconds(5);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(worker.Active ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("Another process is this host's worker."));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using (worker)
        {
            await worker.StartAsync(stoppingToken);
            var endpoint = bus.Connect(new BusEndpoint(Queues.Worker(worker.Family, worker.Host), (_, receive) =>
            {
                receive.Handler<RunOperations>(message => worker.AcceptAsync(message.Message));
                receive.Handler<CancelRun>(message => worker.CancelAsync(message.Message));
                receive.Handler<ExpireRun>(message => worker.ExpireAsync(message.Message));
            }));
            var shared = !worker.TakesShared ? null : bus.Connect(new BusEndpoint(
                Queues.Worker(worker.Family), (_, receive) => receive.Handler<RunOperations>(message => worker.AcceptAsync(message.Message))));
            try
            {
                await endpoint.Ready.WaitAsync(stoppingToken);
                worker.Announce();
                await Task.Delay(Timeout.Infinite, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                // The process stops, or the bus did so before the queue was reached.
            }
            finally
            {
                using var grace = new CancellationTokenSource(DisconnectGrace);
                if (shared is not null)
                    await shared.StopAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await endpoint.StopAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
