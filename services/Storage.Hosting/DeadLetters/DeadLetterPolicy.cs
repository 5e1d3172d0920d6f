using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Storage.Hosting;

/// <summary>
/// How often a message is tried, and where it goes then. What passes by itself is waited for without an end; anything else (refused, not
/// to be read, not foreseen) is not tried again.
/// </summary>
internal static class DeadLetterPolicy
{
    /// <summary>With <see cref="LongestDelay"/> some ten minutes: the broker ends a consumer that holds a message for thirty.</summary>
    private const int TransientRetries = 60;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DelayStep = TimeSpan.FromMilliseconds(200);

    /// <param name="factory">That of the bus, where the endpoint starts with it: the waiting ends with the bus.</param>
    public static void UseDeadLetters(
        this IReceiveEndpointConfigurator receive, string queue, IServiceProvider services, IBusFactoryConfigurator? factory)
    {
        void WaitForWhatPasses(IRetryConfigurator retry)
        {
            // Memory does not take a message back.
            var retries = receive is IRabbitMqReceiveEndpointConfigurator ? TransientRetries : int.MaxValue;
            retry.Handle<Exception>(TransientFailures.Is);
            retry.Exponential(retries, FirstDelay, LongestDelay, DelayStep);
        }

        if (factory is null)
            receive.UseMessageRetry(WaitForWhatPasses);
        else
            receive.UseMessageRetry(factory, WaitForWhatPasses);

        var filter = new DeadLetterFilter(queue, services.GetRequiredService<ILoggerFactory>().CreateLogger<DeadLetterFilter>());
        receive.ConfigureDeadLetter(pipe => pipe.UseFilter(filter));
        receive.ConfigureError(pipe => pipe.UseFilter(filter));
    }
}
