using MassTransit;
using Microsoft.EntityFrameworkCore;
using Storage.Contracts;
using Storage.Hosting;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Dead letters without a broker: their way through the in-memory bus into SQLite, and what is decided about them.</summary>
public sealed class DeadLetterTests : IAsyncLifetime
{
    private static readonly string Queue = Queues.Worker(PoolFamily.File, LedgerFixture.Host);

    private readonly LedgerFixture ledger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DeadLetterIntake Intake => ledger.Get<DeadLetterIntake>();

    private DeadLetterDecisions Decisions => ledger.Get<DeadLetterDecisions>();

    private LedgerSweep Sweep => ledger.Get<LedgerSweep>();

    [Fact]
    public async Task Garbage_in_memory_is_a_letter_and_its_replay_a_new_one_that_names_it()
    {
        var body = "not json"u8.ToArray();
        await ledger.Get<IBus>().SendAgainAsync(Queue, body, null, null, null, [], Cancellation);
        var first = Assert.Single(await LettersAsync(1));
        Assert.Equal((Queue, ErrorCodes.InvalidDocument, DeadLetterState.Open), (first.Queue, first.Reason, first.State));
        Assert.Equal(body, first.Body);
        await Decisions.ReplayAsync(first.Id, Cancellation);
        var second = Assert.Single(await LettersAsync(2), letter => letter.State == DeadLetterState.Open);
        Assert.Equal(first.Id, second.ReplayOf);
        Assert.Equal(body, second.Body);
    }

    [Fact]
    public async Task A_message_of_another_type_in_memory_is_a_letter()
    {
        await ledger.Get<IBus>().SendToAsync(Queue, new ReportTaken(1), Cancellation);
        var letter = Assert.Single(await LettersAsync(1));
        Assert.Equal((ErrorCodes.Unsupported, "urn:message:Storage.Contracts:ReportTaken"), (letter.Reason, letter.MessageType));
    }

    [Fact]
    public async Task A_replay_brings_the_message_as_it_was_once()
    {
        var run = new OperationRun(Guid.NewGuid(), "c", null, StorageJson.ToElement(new { }), 1, DateTimeOffset.UnixEpoch);
        var body = StorageJson.ToElement(new { messageType = new[] { "urn:message:Storage.Contracts:RunOperations" }, message = new RunOperations([run]) });
        var letter = Letter("a", System.Text.Encoding.UTF8.GetBytes(body.GetRawText()));
        await Intake.TakeAsync(letter, Cancellation);
        await Decisions.ReplayAsync(letter.Id, Cancellation);
        var again = await Decisions.ReplayAsync(letter.Id, Cancellation);
        Assert.Equal(DeadLetterState.Replayed, again.State);
        // What is sent later comes later: then nothing more is on its way.
        await ledger.Get<IBus>().SendToAsync(Queue, new ReportTaken(1), Cancellation);
        await LettersAsync(2);
        Assert.Equal(run.OperationId, Assert.Single(ledger.Runs).OperationId);
    }

    [Fact]
    public async Task A_letter_that_comes_again_changes_nothing_and_a_message_that_comes_again_is_counted()
    {
        var letter = Letter("a");
        await Intake.TakeAsync(letter, Cancellation);
        await Intake.TakeAsync(letter, Cancellation);
        Assert.Equal(1, Assert.Single(await LettersAsync(1)).Deliveries);
        await Intake.TakeAsync(letter with { Id = Guid.NewGuid() }, Cancellation);
        Assert.Equal((letter.Id, 2), Assert.Single(await LettersAsync(1)) is var row ? (row.Id, row.Deliveries) : default);
    }

    [Fact]
    public async Task A_message_that_comes_after_the_decision_is_a_new_letter()
    {
        var letter = Letter("a");
        await Intake.TakeAsync(letter, Cancellation);
        await Decisions.DiscardAsync(letter.Id, Cancellation);
        await Intake.TakeAsync(letter, Cancellation);
        await LettersAsync(1);
        await Intake.TakeAsync(letter with { Id = Guid.NewGuid() }, Cancellation);
        await LettersAsync(2);
    }

    [Fact]
    public async Task Decisions_exclude_one_another_and_may_be_made_again()
    {
        Guid[] ids = [await TakenAsync("a"), await TakenAsync("b")];
        await Decisions.DiscardAsync(ids[0], Cancellation);
        Assert.Equal(DeadLetterState.Discarded, (await Decisions.DiscardAsync(ids[0], Cancellation)).State);
        Assert.Equal(ErrorCodes.InvalidState, await RefusedAsync(() => Decisions.ReplayAsync(ids[0], Cancellation)));
        await Decisions.ReplayAsync(ids[1], Cancellation);
        Assert.Equal(ErrorCodes.InvalidState, await RefusedAsync(() => Decisions.DiscardAsync(ids[1], Cancellation)));
        Assert.Equal(ErrorCodes.NotFound, await RefusedAsync(() => Decisions.DiscardAsync(Guid.NewGuid(), Cancellation)));
    }

    [Fact]
    public async Task A_message_that_is_not_kept_as_it_came_is_not_replayed()
    {
        DeadLetter masked = Letter("a") with { Masked = true }, cut = Letter("b") with { BodyLength = 1 << 20 };
        foreach (var letter in new[] { masked, cut })
        {
            await Intake.TakeAsync(letter, Cancellation);
            Assert.Equal(ErrorCodes.InvalidState, await RefusedAsync(() => Decisions.ReplayAsync(letter.Id, Cancellation)));
        }
        Assert.All(await LettersAsync(2), letter => Assert.Equal(DeadLetterState.Open, letter.State));
    }

    [Fact]
    public async Task There_is_one_event_a_minute_for_a_queue_and_reason()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => TakenAsync($"m{i}")));
        Assert.Equal(1, await EventsAsync());
        await Intake.TakeAsync(Letter("other") with { Queue = "other" }, Cancellation);
        Assert.Equal(2, await EventsAsync());
        ledger.Clock.Advance(TimeSpan.FromSeconds(61));
        await TakenAsync("later");
        Assert.Equal(3, await EventsAsync());
    }

    [Fact]
    public async Task Letters_that_were_decided_about_are_removed_after_their_time_and_open_ones_stay()
    {
        Guid open = await TakenAsync("a"), closed = await TakenAsync("b");
        await Decisions.DiscardAsync(closed, Cancellation);
        ledger.Clock.Advance(LedgerSweep.KeepDeadLetters - TimeSpan.FromMinutes(1));
        await Sweep.RemoveDeadLettersAsync(Cancellation);
        await LettersAsync(2);
        ledger.Clock.Advance(TimeSpan.FromMinutes(2));
        await Sweep.RemoveDeadLettersAsync(Cancellation);
        Assert.Equal(open, Assert.Single(await LettersAsync(1)).Id);
    }

    public ValueTask InitializeAsync() => ledger.InitializeAsync();

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private async Task<Guid> TakenAsync(string message)
    {
        var letter = Letter(message);
        await Intake.TakeAsync(letter, Cancellation);
        return letter.Id;
    }

    private static DeadLetter Letter(string message, byte[]? body = null) =>
        new DeadMessage(Queue, body ?? [1], null, message, null, [])
            .ToLetter(new StorageError(ErrorCodes.Internal, "no"), null, DateTimeOffset.UtcNow);

    private static async Task<string> RefusedAsync(Func<Task> decision) => (await Assert.ThrowsAsync<StorageException>(decision)).Error.Code;

    private Task<int> EventsAsync() => ledger.QueryAsync(db => db.Events.CountAsync(row => row.Type == nameof(DeadLettered)));

    /// <summary>All letters, when there are as many; there may not be more.</summary>
    private async Task<List<DeadLetterRow>> LettersAsync(int count)
    {
        while (true)
        {
            var next = ledger.Get<LedgerSignal>().Next;
            var rows = await ledger.QueryAsync(db => db.DeadLetters.AsNoTracking().ToListAsync());
            Assert.True(rows.Count <= count, $"{rows.Count} letters");
            if (rows.Count == count)
                return rows;
            // A letter need not have an event, which is what the signal tells of.
            await Task.WhenAny(next, Task.Delay(100, Cancellation));
        }
    }
}
