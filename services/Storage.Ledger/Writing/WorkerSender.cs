using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Ledger;

/// <summary>One message for a worker: a run, or the early end of one.</summary>
public sealed record WorkerMessage(string Queue, OperationRun? Run = null, CancelRun? Cancel = null, ExpireRun? Expire = null);

/// <summary>
/// Sends committed work to the workers' queues, several runs to a message when there are many. What cannot be sent is dropped: the row
/// in the ledger is the outbox, and the sweep sends again what was not answered.
/// </summary>
public sealed partial class WorkerSender(IBus bus, ILogger<WorkerSender> logger) : BackgroundService
{
    private const int RunsPerMessage = 50;
    private const int CharactersPerMessage = 256 * 1024;
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<WorkerMessage> waiting =
        Channel.CreateBounded<WorkerMessage>(new BoundedChannelOptions(20_000) { FullMode = BoundedChannelFullMode.DropWrite });

    internal void Enqueue(WorkerMessage message) => waiting.Writer.TryWrite(message);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<WorkerMessage>();
        while (await waiting.Reader.WaitToReadAsync(stoppingToken))
        {
            batch.Clear();
            while (batch.Count < 1000 && waiting.Reader.TryRead(out var message))
                batch.Add(message);
            await Task.WhenAll(batch.GroupBy(message => message.Queue).Select(queue => SendAsync(queue.Key, [.. queue], stoppingToken)));
        }
    }

    private async Task SendAsync(string queue, List<WorkerMessage> messages, CancellationToken stoppingToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        timeout.CancelAfter(SendTimeout);
        try
        {
            // Ends before runs: what is to be ended early is best never begun.
            foreach (var cancel in messages.Select(message => message.Cancel).OfType<CancelRun>())
                await bus.SendToAsync(queue, cancel, timeout.Token);
            foreach (var expire in messages.Select(message => message.Expire).OfType<ExpireRun>())
                await bus.SendToAsync(queue, expire, timeout.Token);
            foreach (var runs in Parts(messages.Select(message => message.Run).OfType<OperationRun>()))
                await bus.SendToAsync(queue, new RunOperations(runs), timeout.Token);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            SendFailed(logger, messages.Count, queue, e);
        }
    }

    /// <summary>Parts of bounded count and size: one bulk command may be as large as a thousand others.</summary>
    private static IEnumerable<IReadOnlyList<OperationRun>> Parts(IEnumerable<OperationRun> runs)
    {
        var (part, size) = (new List<OperationRun>(), 0);
        foreach (var run in runs)
        {
            part.Add(run);
            size += run.Arguments.GetRawText().Length;
            if (part.Count < RunsPerMessage && size < CharactersPerMessage)
                continue;
            yield return part;
            (part, size) = ([], 0);
        }
        if (part.Count > 0)
            yield return part;
    }

    [LoggerMessage(4001, LogLevel.Warning, "{Count} messages could not be sent to {Queue}; the sweep will send them again.")]
    private static partial void SendFailed(ILogger logger, int count, string queue, Exception exception);
}
