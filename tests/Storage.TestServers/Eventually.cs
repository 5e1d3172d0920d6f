using System.Diagnostics;
using Xunit;

namespace Storage.TestServers;

/// <summary>Waits for what happens in another process: asks again and again, and fails at the deadline with what was seen last.</summary>
public static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>The first answer of <paramref name="probe"/> that is not null. A probe that throws is asked again.</summary>
    /// <param name="what">What is waited for, for the message of the <see cref="TimeoutException"/>.</param>
    /// <param name="within"><see cref="Deadline"/> when absent.</param>
    /// <param name="giveUp">Says why no more waiting helps; null while it may.</param>
    public static async Task<T> GetAsync<T>(
        string what, Func<CancellationToken, Task<T?>> probe, TimeSpan? within = null, Func<string?>? giveUp = null)
        where T : class
    {
        var limit = within ?? Deadline;
        var watch = Stopwatch.StartNew();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(limit);
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await probe(deadline.Token) is { } answer)
                    return answer;
                last = null;
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                // What was seen before says more.
            }
            catch (Exception e) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                last = e;
            }
            if (giveUp?.Invoke() is { } reason)
                throw new InvalidOperationException($"Waited in vain for {what}: {reason}", last);
            if (watch.Elapsed >= limit)
                throw new TimeoutException($"Waited {limit.TotalSeconds:0.#} s in vain for {what}{(last is null ? "." : $": {last.Message}")}", last);
            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Returns when <paramref name="condition"/> holds.</summary>
    public static Task HoldsAsync(
        string what, Func<CancellationToken, Task<bool>> condition, TimeSpan? within = null, Func<string?>? giveUp = null) =>
        GetAsync(what, async ct => await condition(ct) ? "yes" : null, within, giveUp);
}
