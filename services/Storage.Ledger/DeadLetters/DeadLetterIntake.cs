using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Hosting;

namespace Storage.Ledger;

/// <summary>Takes in dead letters, many to a transaction. A letter that comes again changes nothing.</summary>
public sealed class DeadLetterIntake : IAsyncDisposable
{
    private const int BatchLimit = 64;

    private readonly LedgerWriter writer;
    private readonly Counter<long> died;
    private readonly GroupCommit<DeadLetter, bool> commits;

    public DeadLetterIntake(LedgerWriter writer, IMeterFactory meters)
    {
        this.writer = writer;
        died = meters.Create(ServiceTelemetry.Source)
            .CreateCounter<long>("storage.dead_letters", "{message}", "Messages that could not be handled, by queue and reason.");
        commits = new(WriteAsync, BatchLimit);
    }

    /// <summary>Returns when the letter is committed; only then may its message be acknowledged.</summary>
    public Task TakeAsync(DeadLetter letter, CancellationToken cancellationToken) => commits.AddAsync(letter, cancellationToken);

    public ValueTask DisposeAsync() => commits.DisposeAsync();

    private async Task<IReadOnlyList<Outcome<bool>>> WriteAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellationToken)
    {
        await using var ledger = await writer.BeginAsync(cancellationToken);
        var batch = new DeadLetterBatch(ledger);
        var taken = new List<DeadLetter>();
        foreach (var letter in letters)
            if (await batch.AddAsync(letter, cancellationToken))
                taken.Add(letter);
        await ledger.CommitAsync(cancellationToken);
        foreach (var letter in taken)
            died.Add(1, new("storage.queue", letter.Queue), new("storage.reason", letter.Error.Code));
        return [.. letters.Select(_ => new Outcome<bool>(true, null))];
    }
}

/// <summary>The dead letters of one transaction.</summary>
internal sealed class DeadLetterBatch(LedgerTransaction ledger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly HashSet<(string Queue, string Reason)> announced = [];
    private long? last;

    /// <returns>False where the letter was taken in before.</returns>
    public async Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var rows = ledger.Db.DeadLetters;
        if (await rows.FindAsync([letter.Id], cancellationToken) is not null)
            return false;
        var open = rows.Local.FirstOrDefault(row => row.Fingerprint == letter.Fingerprint && row.State == DeadLetterState.Open)
            ?? await rows.FirstOrDefaultAsync(row => row.Fingerprint == letter.Fingerprint && row.State == DeadLetterState.Open, cancellationToken);
        if (open is not null)
        {
            open.Deliveries++;
            open.LastReceivedAt = ledger.Now;
            return true;
        }
        last = 1 + (last ?? await rows.MaxAsync(row => (long?)row.Sequence, cancellationToken) ?? 0);
        var announce = await IsNewsAsync(letter, cancellationToken);
        rows.Add(RowOf(letter, last.Value, announce));
        if (announce)
            await ledger.RaiseAsync(
                new DeadLettered(letter.Id, letter.Queue, letter.Error.Code, letter.MessageType, letter.ReplayOf),
                Resources.DeadLetter(letter.Id), ledger.NextRevision(0), null, EventCause.System, null, cancellationToken);
        return true;
    }

    /// <summary>The event log is not to be flooded: one event for each queue and reason in a while.</summary>
    private async Task<bool> IsNewsAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        var since = ledger.Now - Quiet;
        return announced.Add((letter.Queue, letter.Error.Code)) && !await ledger.Db.DeadLetters.AnyAsync(
            row => row.Queue == letter.Queue && row.Reason == letter.Error.Code && row.AnnouncedAt > since, cancellationToken);
    }

    private DeadLetterRow RowOf(DeadLetter letter, long sequence, bool announce) => new()
    {
        Id = letter.Id,
        Sequence = sequence,
        Fingerprint = letter.Fingerprint,
        Queue = letter.Queue,
        ReceivedAt = ledger.Now,
        LastReceivedAt = ledger.Now,
        Deliveries = 1,
        Reason = letter.Error.Code,
        Error = JsonSerializer.Serialize(letter.Error, StorageJson.Options),
        ExceptionType = letter.ExceptionType,
        MessageType = letter.MessageType,
        MessageId = letter.MessageId,
        ContentType = letter.ContentType,
        Headers = JsonSerializer.Serialize(letter.Headers, StorageJson.Options),
        Body = letter.Body,
        BodyLength = letter.BodyLength,
        Masked = letter.Masked,
        ReplayOf = letter.ReplayOf,
        AnnouncedAt = announce ? ledger.Now : null,
    };
}
