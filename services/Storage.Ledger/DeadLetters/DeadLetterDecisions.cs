using System.Text.Json;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Ledger;

/// <summary>What people decide about dead letters. One decision at a time, over all processes; each may be made again.</summary>
public sealed class DeadLetterDecisions(IDbContextFactory<LedgerDb> databases, LedgerDialect dialect, IBus bus, TimeProvider clock)
{
    private static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Sends the message to its queue again, as it came. It is replayed when the broker has it: a crash in between may send it twice,
    /// which the ids of commands, runs and events make harmless. A letter that was replayed before is left as it is.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.NotFound"/>; <see cref="ErrorCodes.InvalidState"/> where it was discarded, or is not kept as it came;
    /// <see cref="ErrorCodes.ServiceUnavailable"/> while the broker is away.
    /// </exception>
    public Task<DeadLetterRow> ReplayAsync(Guid id, CancellationToken cancellationToken) =>
        DecideAsync(id, DeadLetterState.Replayed, SendAgainAsync, cancellationToken);

    /// <summary>The message is not wanted. A letter that was discarded before is left as it is.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.NotFound"/>; <see cref="ErrorCodes.InvalidState"/> where it was replayed.</exception>
    public Task<DeadLetterRow> DiscardAsync(Guid id, CancellationToken cancellationToken) =>
        DecideAsync(id, DeadLetterState.Discarded, (_, _) => Task.CompletedTask, cancellationToken);

    public static StorageException NotFound(Guid id) =>
        new(new StorageError(ErrorCodes.NotFound, $"There is no dead letter {id}.", Resource: Resources.DeadLetter(id)));

    private async Task<DeadLetterRow> DecideAsync(
        Guid id, DeadLetterState decision, Func<DeadLetterRow, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await dialect.LockAsync(db, LedgerLock.DeadLetters, cancellationToken);
        var letter = await db.DeadLetters.SingleOrDefaultAsync(row => row.Id == id, cancellationToken)
            ?? throw NotFound(id);
        if (letter.State == decision)
            return letter;
        if (letter.State != DeadLetterState.Open)
            throw Refused(letter, $"The message was {(letter.State == DeadLetterState.Replayed ? "replayed" : "discarded")}.");
        await act(letter, cancellationToken);
        letter.State = decision;
        letter.ClosedAt = clock.GetUtcNow();
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return letter;
    }

    private async Task SendAgainAsync(DeadLetterRow letter, CancellationToken cancellationToken)
    {
        if (letter.Masked)
            throw Refused(letter, "Secrets were removed from the message: it can only be sent anew by whoever has them.");
        if (!letter.Whole)
            throw Refused(letter, $"Only the first {letter.Body.Length} of {letter.BodyLength} bytes of the message are kept.");
        var headers = JsonSerializer.Deserialize<Dictionary<string, string>>(letter.Headers, StorageJson.Options)!
            .Where(header => header.Value != SecretMask.Mask && header.Key != DeadMessage.ReplayHeader)
            .Append(KeyValuePair.Create(DeadMessage.ReplayHeader, letter.Id.ToString()));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(SendLimit);
        try
        {
            await bus.SendAgainAsync(
                letter.Queue, letter.Body, letter.ContentType, letter.MessageType, letter.MessageId, headers, limit.Token);
        }
        catch (Exception e) when (TransientFailures.Is(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new StorageException(
                new StorageError(ErrorCodes.ServiceUnavailable, "The broker cannot be reached at the moment.", Retryable: true), e);
        }
    }

    private static StorageException Refused(DeadLetterRow letter, string why) =>
        new(new StorageError(ErrorCodes.InvalidState, why, Resource: Resources.DeadLetter(letter.Id)));
}
