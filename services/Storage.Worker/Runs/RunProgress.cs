using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Reports the progress of one run: the newest once a second at most, and after the first second once in any case, so that a
/// long run is seen to be running.
/// </summary>
internal sealed class RunProgress : IProgress<OperationProgress>, IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Action<OperationProgress> report;
    private readonly ITimer timer;
    private OperationProgress? newest = new(Percent: null);

    public RunProgress(Action<OperationProgress> report, TimeProvider time)
    {
        this.report = report;
        timer = time.CreateTimer(_ => Tick(), null, Period, Period);
    }

    public void Report(OperationProgress value) => Volatile.Write(ref newest, value);

    /// <summary>Afterwards nothing is reported any more.</summary>
    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private void Tick()
    {
        if (Interlocked.Exchange(ref newest, null) is { } progress)
            report(progress);
    }
}
