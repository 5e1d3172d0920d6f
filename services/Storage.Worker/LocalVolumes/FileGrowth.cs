using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Tells how much a file has grown whose maker does not say how far it is: by its blocks, looked at once a second. What part of the whole
/// that is, is not known.
/// </summary>
internal sealed class FileGrowth : IDisposable
{
    private const long BlockSize = 512;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly SafeFileHandle file;
    private readonly IProgress<OperationProgress> progress;
    private readonly Timer timer;
    private readonly long before;
    private bool ended;

    /// <param name="file">Open for as long as this is used.</param>
    public FileGrowth(SafeFileHandle file, IProgress<OperationProgress> progress)
    {
        (this.file, this.progress) = (file, progress);
        before = Allocated ?? 0;
        timer = new Timer(_ => Look(), null, Period, Period);
    }

    /// <summary>As the kernel knows it: a server that hangs is not asked.</summary>
    private long? Allocated => LibC.Status(file, "", LibC.EmptyPath | LibC.WithoutAsking, LibC.BasicStatusAndBirth, out var status) == 0
        ? (long)status.Blocks * BlockSize
        : null;

    public void Dispose()
    {
        lock (gate)
            ended = true;
        timer.Dispose();
    }

    private void Look()
    {
        lock (gate)
        {
            if (!ended && Allocated is { } now)
                progress.Report(new OperationProgress(Percent: null, Math.Max(0, now - before)));
        }
    }
}
