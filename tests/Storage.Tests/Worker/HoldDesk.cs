using Storage.Contracts;

namespace Storage.Tests;

/// <summary>Says whether a worker may run what any replica may take: as a test wants it.</summary>
internal sealed class HoldDesk
{
    private readonly Lock gate = new();
    private readonly List<HoldRun> questions = [];

    /// <summary>The answer to the n-th question, counted from 1.</summary>
    public Func<int, RunHold> Answer { get; set; } = _ => Granted();

    public IReadOnlyList<HoldRun> Questions
    {
        get
        {
            lock (gate)
                return [.. questions];
        }
    }

    public static RunHold Granted(bool resumed = false, bool cancelled = false, double leaseSeconds = 60) =>
        new(Guid.Empty, HoldDecision.Granted, resumed, cancelled, LeaseMilliseconds: (long)(leaseSeconds * 1000));

    public static RunHold Not(HoldDecision decision) => new(Guid.Empty, decision);

    public Task<RunHold> AskAsync(HoldRun question, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int asked;
        lock (gate)
        {
            questions.Add(question);
            asked = questions.Count;
        }
        return Task.FromResult(Answer(asked) with { OperationId = question.OperationId });
    }
}
