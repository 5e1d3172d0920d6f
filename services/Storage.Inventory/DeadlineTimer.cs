using Storage.Ledger;

namespace Storage.Inventory;

/// <summary>
/// Wakes at the next deadline of an operation, and every <see cref="LongestWait"/> to hear of new ones. Any number of replicas may run.
/// </summary>
internal sealed partial class DeadlineTimer(LedgerDeadlines deadlines, TimeProvider clock, ILogger<DeadlineTimer> logger) : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = LongestWait;
            try
            {
                if (await deadlines.ExpireAsync(stoppingToken) is { } next)
                    wait = TimeSpan.FromTicks(Math.Clamp((next - clock.GetUtcNow()).Ticks, 0, LongestWait.Ticks));
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                DeadlinesFailed(logger, e);
            }
            await Task.Delay(wait, clock, stoppingToken);
        }
    }

    [LoggerMessage(5003, LogLevel.Warning, "Deadlines could not be looked after; trying again.")]
    private static partial void DeadlinesFailed(ILogger logger, Exception exception);
}
