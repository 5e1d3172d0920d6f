using MassTransit;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Inventory;

/// <summary>
/// Passes the event log on to the topic exchange of all events, in order, each at least once: the cursor moves after the broker has
/// confirmed. One replica at a time does it.
/// </summary>
internal sealed partial class EventRelay(LedgerDialect dialect, LedgerSignal signal, IBus bus, ILogger<EventRelay> logger) : BackgroundService
{
    private const string Reader = "bus";
    private const int Page = 500;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PublishLimit = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var log = await dialect.FollowAsync(Reader, LedgerLock.Relay, stoppingToken);
                await RelayAsync(log, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                RelayFailed(logger, e);
                await Task.Delay(LongestWait, stoppingToken);
            }
        }
    }

    private async Task RelayAsync(ILogCursor log, CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = signal.Next;
            var page = await log.NextAsync(Page, cancellationToken);
            if (page.Count == 0)
            {
                await next.WaitAsync(LongestWait, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(PublishLimit);
            // Started in order on one channel, confirmed together.
            await Task.WhenAll(page.Select(entry => bus.PublishToAllAsync(EventFeed.Read(entry), timeout.Token)));
        }
    }

    [LoggerMessage(5002, LogLevel.Warning, "Events could not be passed on to the bus; trying again.")]
    private static partial void RelayFailed(ILogger logger, Exception exception);
}
