using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The progress of one thing after another, as that of all of them.</summary>
internal sealed class PartProgress(IProgress<OperationProgress> whole, int parts) : IProgress<OperationProgress>
{
    private int done;

    public void Report(OperationProgress value) => whole.Report(new OperationProgress((100.0 * done + (value.Percent ?? 0)) / parts));

    /// <summary>The next part begins.</summary>
    public void Next()
    {
        done++;
        Report(new OperationProgress(0));
    }
}
