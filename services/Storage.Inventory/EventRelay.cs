using System.Diagnostics;
using MassTransit;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Inventory;

/// <summary>
/// Passes the event log on to the topic exchange of all events, in order, each at least once: the cursor moves after the broker has
/// confirmed. One replica at a time does it. Reports go before events: for up to a second they are taken in first.
/// </summary>
internal sealed partial class EventRelay(
    LedgerDialect dialect, LedgerSignal signal, ReportProjector projector, IBus bus, ILogger<EventRelay> logger) : BackgroundService
{
    private const string Reader = "bus";
    private const int Page = 500;

    /// <summary>What comes so soon after a page that was not full is one page: a command's events, in two or three transactions, would be as many.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    /// <summary>For so long after the last page that was not full, reports are not made to wait for the processor.</summary>
    private static readonly TimeSpan MayBeBehind = TimeSpan.FromSeconds(1);

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
        var inStep = Stopwatch.GetTimestamp();
        while (true)
        {
            var next = signal.Next;
            var page = await log.NextAsync(Page, cancellationToken);
            if (page.Count < Page)
                inStep = Stopwatch.GetTimestamp();
            if (page.Count == 0)
            {
                await next.WaitAsync(LongestWait, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(PublishLimit);
            // Those that are started while there is no channel yet get it in the reverse order: one opens it.
            await PublishAsync(page[0]);
            // Started in order on one channel, confirmed together.
            await Task.WhenAll(page.Skip(1).Select(PublishAsync));
            if (page.Count < Page)
                await Task.Delay(Gathering, cancellationToken);
            else if (MayBeBehind - Stopwatch.GetElapsedTime(inStep) is { Ticks: > 0 } left)
                await projector.QuietAsync().WaitAsync(left, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            Task PublishAsync(EventRow entry) => bus.PublishToAllAsync(EventFeed.Read(entry), timeout.Token);
        }
    }

    [LoggerMessage(5002, LogLevel.Warning, "Events could not be passed on to the bus; trying again.")]
    private static partial void RelayFailed(ILogger logger, Exception exception);
}
