using MassTransit;
using Microsoft.EntityFrameworkCore;
using Storage.Hosting;
using Storage.Ledger;

namespace Storage.Inventory;

/// <summary>
/// Passes the event log on to the topic exchange of all events, in order, each at least once: the cursor moves after the broker has
/// confirmed. One replica at a time does it.
/// </summary>
internal sealed partial class EventRelay(
    IDbContextFactory<LedgerDb> databases, LedgerDialect dialect, LedgerSignal signal, EventFeed feed, IBus bus, ILogger<EventRelay> logger)
    : BackgroundService
{
    private const string Reader = "bus";
    private const int Page = 200;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var next = signal.Next;
            var relayed = 0;
            try
            {
                relayed = await RelayAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                RelayFailed(logger, e);
            }
            if (relayed < Page)
                await next.WaitAsync(LongestWait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<int> RelayAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await dialect.LockAsync(db, LedgerLock.Relay, cancellationToken);
        var cursor = await db.Cursors.SingleOrDefaultAsync(row => row.Reader == Reader, cancellationToken);
        if (cursor is null)
            db.Cursors.Add(cursor = new CursorRow { Reader = Reader });
        var page = await feed.PageAsync(cursor.Sequence, Page, cancellationToken);
        if (page.Count == 0)
            return 0;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        // Started in order on one channel, confirmed together.
        await Task.WhenAll(page.Select(entry => bus.PublishToAllAsync(entry, timeout.Token)));
        cursor.Sequence = page[^1].Sequence!.Value;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return page.Count;
    }

    [LoggerMessage(5002, LogLevel.Warning, "Events could not be passed on to the bus; trying again.")]
    private static partial void RelayFailed(ILogger logger, Exception exception);
}
