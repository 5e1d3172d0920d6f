using Microsoft.Extensions.Logging;
using Storage.Contracts;

namespace Storage.Ledger;

/// <summary>
/// The one way in for commands, from HTTP, from messages and from the timers. A command that is accepted is durable before the answer.
/// </summary>
public sealed partial class CommandIntake : IAsyncDisposable
{
    private const int BatchLimit = 128;

    private readonly LedgerWriter writer;
    private readonly GroupCommit<Submission, OperationRow> commits;
    private readonly SubmissionNeeds needs;
    private readonly ILogger<CommandIntake> logger;

    public CommandIntake(LedgerWriter writer, ILogger<CommandIntake> logger)
    {
        (this.writer, this.logger) = (writer, logger);
        commits = new(WriteAsync, BatchLimit);
        needs = new SubmissionNeeds(writer.Workers);
    }

    /// <summary>
    /// Validates the command, takes it in once per <see cref="ICommand.CommandId"/>, queues it behind what it must wait for and
    /// dispatches it when that is nothing.
    /// </summary>
    /// <param name="deadline">The operation expires when it has not begun by then; one in the past is refused. The first one given stays.</param>
    /// <returns>The operation; the earlier one when the same command came before.</returns>
    /// <exception cref="StorageException">Refused, with code and field; nothing was kept.</exception>
    public Task<OperationRow> AcceptAsync(
        ICommand command, string? traceParent, CancellationToken cancellationToken, EventCause cause = EventCause.Command,
        DateTimeOffset? deadline = null) =>
        commits.AddAsync(Submission.Of(CommandRules.Complete(command), cause, traceParent, deadline), cancellationToken);

    public ValueTask DisposeAsync() => commits.DisposeAsync();

    private async Task<IReadOnlyList<Outcome<OperationRow>>> WriteAsync(
        IReadOnlyList<Submission> submissions, CancellationToken cancellationToken)
    {
        try
        {
            await using var ledger = await writer.BeginAsync(needs.Of(submissions), cancellationToken);
            var outcomes = await new Acceptance(ledger).AcceptAsync(submissions, cancellationToken);
            await ledger.CommitAsync(cancellationToken);
            foreach (var (submission, outcome) in submissions.Zip(outcomes))
                if (outcome.Value is { } operation)
                    needs.Learn(submission.Command, operation);
            return outcomes;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            BatchFailed(logger, submissions.Count, e);
            throw;
        }
    }

    [LoggerMessage(4002, LogLevel.Warning, "A batch of {Count} commands could not be written.")]
    private static partial void BatchFailed(ILogger logger, int count, Exception exception);
}
