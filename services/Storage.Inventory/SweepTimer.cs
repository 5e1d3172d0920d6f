using Storage.Ledger;

namespace Storage.Inventory;

/// <summary>Calls the ledger's sweep from time to time. Each part stands for itself: one that fails does not keep the others.</summary>
internal sealed partial class SweepTimer(LedgerSweep sweep, InventoryOptions options, ILogger<SweepTimer> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var every = new RefreshIntervals(options.RefreshEvery, options.RefreshWatchedEvery);
        using var timer = new PeriodicTimer(options.SweepInterval);
        do
        {
            await TryAsync("send again", sweep.SendAgainAsync, stoppingToken);
            await TryAsync("watch workers", sweep.WatchWorkersAsync, stoppingToken);
            await TryAsync("remove dead letters", sweep.RemoveDeadLettersAsync, stoppingToken);
            await TryAsync("attend pools", token => sweep.AttendPoolsAsync(every, token), stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task TryAsync(string part, Func<CancellationToken, Task> run, CancellationToken stoppingToken)
    {
        try
        {
            await run(stoppingToken);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            SweepFailed(logger, part, e);
        }
    }

    [LoggerMessage(5001, LogLevel.Warning, "The sweep could not {Part}; it will try again.")]
    private static partial void SweepFailed(ILogger logger, string part, Exception exception);
}
