using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Reports the progress of one run: the newest once a second at most, with the rate since the one before, and after the first second
/// once in any case, so that a long run is seen to be running.
/// </summary>
internal sealed class RunProgress : IProgress<OperationProgress>, IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Action<OperationProgress> report;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private long bytes;
    private long reported;
    private OperationProgress? newest = new(Percent: null);

    public RunProgress(Action<OperationProgress> report, TimeProvider time)
    {
        this.report = report;
        this.time = time;
        reported = time.GetTimestamp();
        timer = time.CreateTimer(_ => Tick(), null, Period, Period);
    }

    public void Report(OperationProgress value) => Volatile.Write(ref newest, value);

    /// <summary>Afterwards nothing is reported any more.</summary>
    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private void Tick()
    {
        if (Interlocked.Exchange(ref newest, null) is { } progress)
            report(WithRate(progress));
    }

    private OperationProgress WithRate(OperationProgress progress)
    {
        if (progress.BytesDone is not { } done)
            return progress;
        var rate = Math.Max(0, done - bytes) / time.GetElapsedTime(reported).TotalSeconds;
        (bytes, reported) = (done, time.GetTimestamp());
        return progress with { BytesPerSecond = double.IsFinite(rate) ? (long)rate : null };
    }
}
