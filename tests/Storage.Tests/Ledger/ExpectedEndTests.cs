using Storage.Contracts;
using Storage.Ledger;
using Xunit;

namespace Storage.Tests.Ledger;

/// <summary>Those who wait for operations, and how they hear of the end.</summary>
public sealed class ExpectedEndTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    /// <summary>Longer than a test waits: when that time is up, the operation is looked at once more and what was not heard is seen all the same.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private EventFeed Feed => ledger.Get<EventFeed>();

    [Fact]
    public async Task Who_looks_out_before_the_command_is_accepted_hears_of_its_end()
    {
        var pool = await FollowedPoolAsync("early");
        var id = Guid.CreateVersion7();
        using var end = Feed.Expect(id);
        var accepted = await ledger.AcceptAsync(new CreateVolume(id, pool.ToString(), LedgerFixture.Raw("a")));
        var waiting = end.WaitAsync(accepted, Long, Cancellation);
        Assert.False(waiting.IsCompleted);
        await ledger.ReportAsync(ledger.Success(id));
        Assert.Equal(OperationState.Succeeded, (await waiting.WaitAsync(Soon, Cancellation)).State);
    }

    [Fact]
    public async Task An_end_before_anybody_waited_is_not_waited_for()
    {
        var pool = await FollowedPoolAsync("past");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        await ledger.ReportAsync(ledger.Success(create.Id));
        Assert.Equal(OperationState.Succeeded, (await Feed.WaitForEndAsync(create.Id, Long, Cancellation)).State);
    }

    [Fact]
    public async Task Ends_that_are_too_many_to_be_named_are_heard_by_all_who_wait()
    {
        var pool = await FollowedPoolAsync("many");
        var creates = await Task.WhenAll(Enumerable.Range(0, LogGrowth.NamedAtMost + 20)
            .Select(i => ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw($"v{i}")))));
        var waiting = Task.WhenAll(creates.Select(create => Feed.WaitForEndAsync(create.Id, Long, Cancellation)));
        await ledger.ReportAsync([.. creates.Select(create => ledger.Success(create.Id))]);
        Assert.All(await waiting.WaitAsync(Soon, Cancellation), operation => Assert.Equal(OperationState.Succeeded, operation.State));
    }

    [Fact]
    public async Task An_end_of_which_no_word_came_is_found_in_the_log()
    {
        var pool = await FollowedPoolAsync("quiet");
        var create = await ledger.AcceptAsync(new CreateVolume(null, pool.ToString(), LedgerFixture.Raw("a")));
        var waiting = Feed.WaitForEndAsync(create.Id, Long, Cancellation);
        await ledger.QueryAsync(async db =>
        {
            // As another process, whose notification is lost.
            db.Operations.Single(row => row.Id == create.Id).State = OperationState.Succeeded;
            db.Events.Add(new EventRow
            {
                Sequence = db.Events.Max(row => row.Sequence) + 1,
                EventId = Guid.NewGuid(),
                Type = nameof(OperationSucceeded),
                Resource = Resources.Operation(create.Id),
                CommandId = create.Id,
                Data = "{}",
            });
            return await db.SaveChangesAsync(Cancellation);
        });
        Assert.Equal(OperationState.Succeeded, (await waiting.WaitAsync(Soon, Cancellation)).State);
    }

    /// <summary>A pool, once the log is followed for those who wait.</summary>
    private async Task<Guid> FollowedPoolAsync(string name)
    {
        var pool = await ledger.RunningPoolAsync(name);
        await Feed.WaitForEndAsync((await ledger.AcceptAsync(new SetPoolAutostart(null, pool.ToString(), true))).Id, Long, Cancellation);
        return pool;
    }
}
