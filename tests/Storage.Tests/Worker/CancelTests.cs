using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class CancelTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CancelTests() => rig.Backend.Creating = async (_, _, token) =>
    {
        entered.TrySetResult();
        await finish.Task.WaitAsync(token);
    };

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task A_running_run_is_undone_and_ends_as_cancelled()
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Empty(rig.Backend.Names);
        Assert.Empty(rig.Backend.Unfinished);
    }

    [Fact]
    public async Task A_waiting_run_ends_as_cancelled_at_once_and_never_starts()
    {
        rig.Options.ConcurrentRunsPerPool = 1;
        var worker = await rig.StartAsync();
        OperationRun running = rig.Create("a"), waiting = rig.Create("b"), next = rig.Create("c");
        await worker.AcceptAsync(new RunOperations([running, waiting, next]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(waiting.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(waiting.OperationId)).Type);
        Assert.Equal(0, rig.Inbox.Ends(running.OperationId));
        finish.SetResult();
        await rig.Inbox.EndAsync(next.OperationId);
        Assert.Equal(["a", "c"], rig.Backend.Creations.Select(creation => creation.Volume));
        Assert.Equal(1, rig.Inbox.Ends(waiting.OperationId));
    }

    [Fact]
    public async Task A_cancel_that_comes_first_ends_its_run_without_running_it()
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        await worker.CancelAsync(new CancelRun(run.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.EndAsync(worker, run)).Type);
        Assert.Empty(rig.Backend.Creations);
    }

    [Fact]
    public async Task A_cancel_of_an_ended_run_changes_nothing_and_reports_its_end_again()
    {
        finish.SetResult();
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        var end = await rig.EndAsync(worker, run);
        await worker.CancelAsync(new CancelRun(run.OperationId));
        await rig.Inbox.UntilAsync(inbox => inbox.Events.Count(seen => seen.EventId == end.EventId) == 2);
        Assert.Equal(nameof(OperationSucceeded), end.Type);
        Assert.Equal(1, rig.Inbox.Ends(run.OperationId));
        Assert.Equal(["a"], rig.Backend.Names);
    }

    [Fact]
    public async Task A_cancel_that_the_backend_comes_too_late_to_see_changes_nothing()
    {
        var worker = await rig.StartAsync();
        rig.Backend.Creating = async (_, _, _) =>
        {
            entered.TrySetResult();
            await finish.Task;
        };
        var run = rig.Create("a");
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        finish.SetResult();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancel_survives_the_end_of_the_process_and_leaves_nothing_behind(bool begun)
    {
        var run = rig.Create("a");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            if (begun)
                await journal.BeginAsync(run.OperationId);
            await journal.CancelAsync(run.OperationId);
        });
        if (begun)
            rig.Backend.PutUnfinished("a");
        await rig.StartAsync();
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Empty(rig.Backend.Unfinished);
        Assert.Empty(rig.Backend.Names);
    }
}
