using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Storage.Hosting;

/// <summary>
/// Ends a process that has become deaf, so that its service manager starts it again. When a connection is cut while much is being sent,
/// the broker's client can lose its consumers for good (a channel is never told of the end of its connection, RabbitMQ.Client 7.2;
/// github.com/rabbitmq/rabbitmq-dotnet-client/issues/1930): nothing in the process notices, it waits for messages and answers that never
/// come. So the broker is asked, over a connection of its own each time, whether it knows consumers of this process's queues. The same end
/// has a bus that does not start although the broker answers.
/// Every service may be killed at any moment and goes on where it was; a broker that is away is no reason to end.
/// </summary>
internal sealed partial class BusWatch(
    BusOptions options, ConsumedQueues queues, IBusControl bus, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<BusWatch> logger)
    : BackgroundService
{
    /// <summary>EX_TEMPFAIL of sysexits.h: try again.</summary>
    public const int ExitCode = 75;

    /// <summary>Stands among the queues for the bus itself; no queue has such a name.</summary>
    private const string Bus = "any queue";

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    private readonly ConsumersMissing missing = new(time);
    private bool answersAreTaken;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.InMemory)
            return;
        using var timer = new PeriodicTimer(options.WatchInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await LookAsync(stoppingToken);
            if (missing.Longer(options.DeafAfter) is not { } queue)
                continue;
            Deaf(logger, queue, options.DeafAfter);
            Environment.ExitCode = ExitCode;
            // What is stuck may not stop either.
            _ = Task.Delay(StopLimit, CancellationToken.None).ContinueWith(_ => Environment.Exit(ExitCode), TaskScheduler.Default);
            lifetime.StopApplication();
            return;
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Answers come to a queue that is made with the first question.
            var answers = bus.Address.AbsolutePath.Split('/')[^1];
            var without = await WithoutConsumersAsync([.. queues.All, answers], cancellationToken).WaitAsync(AnswerLimit, time, cancellationToken);
            answersAreTaken |= !without.Contains(answers);
            if (!answersAreTaken)
                without.Remove(answers);
            if (bus.CheckHealth().Status is BusHealthStatus.Unhealthy)
                without.Add(Bus);
            missing.Seen(without);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            NotAsked(logger, e.Message);
            missing.NotSeen();
        }
    }

    private async Task<List<string>> WithoutConsumersAsync(IEnumerable<string> consumed, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            Uri = new Uri(options.Uri),
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = AnswerLimit,
            ClientProvidedName = "storage watch",
        };
        await using var connection = await factory.CreateConnectionAsync(cancellationToken);
        var without = new List<string>();
        foreach (var queue in consumed)
        {
            // A queue that is not there closes the channel.
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            try
            {
                if (await channel.ConsumerCountAsync(queue, cancellationToken) == 0)
                    without.Add(queue);
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                without.Add(queue);
            }
        }
        return without;
    }

    [LoggerMessage(6301, LogLevel.Critical, "The broker has known no consumer of {Queue} for {DeafAfter}: the process ends to be started again.")]
    private static partial void Deaf(ILogger logger, string queue, TimeSpan deafAfter);

    [LoggerMessage(6302, LogLevel.Debug, "The broker cannot be asked for consumers: {Reason}")]
    private static partial void NotAsked(ILogger logger, string reason);
}
