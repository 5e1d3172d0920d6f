using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The progress of one thing after another, as that of all of them. Their bytes are added up as they come: how many there will be is not known.</summary>
internal sealed class PartProgress(IProgress<OperationProgress> whole, int parts) : IProgress<OperationProgress>
{
    private int done;
    private long? bytesBefore;
    private long? bytes;

    public void Report(OperationProgress value)
    {
        bytes = value.BytesDone ?? bytes;
        whole.Report(new OperationProgress((100.0 * done + (value.Percent ?? 0)) / parts, bytes is null ? bytesBefore : (bytesBefore ?? 0) + bytes));
    }

    /// <summary>The next part begins.</summary>
    /// <param name="ended">How many have ended.</param>
    public void Next(int ended = 1)
    {
        done += ended;
        bytesBefore = bytes is null ? bytesBefore : (bytesBefore ?? 0) + bytes;
        bytes = null;
        Report(new OperationProgress(0));
    }
}
