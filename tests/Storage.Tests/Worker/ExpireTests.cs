using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class ExpireTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ExpireTests() => rig.Backend.Creating = async (_, _, token) =>
    {
        entered.TrySetResult();
        await finish.Task.WaitAsync(token);
    };

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task A_waiting_run_is_ended_and_never_starts_and_a_running_one_goes_on()
    {
        rig.Options.ConcurrentRunsPerPool = 1;
        var worker = await rig.StartAsync();
        OperationRun running = rig.Create("a"), waiting = rig.Create("b");
        await worker.AcceptAsync(new RunOperations([running, waiting]));
        await entered.Task;
        await worker.ExpireAsync(new ExpireRun(running.OperationId));
        await worker.ExpireAsync(new ExpireRun(waiting.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(waiting.OperationId)).Type);
        finish.SetResult();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(running.OperationId)).Type);
        Assert.Equal(["a"], rig.Backend.Creations.Select(creation => creation.Volume));
        Assert.Equal(1, rig.Inbox.Ends(waiting.OperationId));
    }

    [Fact]
    public async Task An_expiry_that_comes_first_ends_its_run_without_running_it()
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        await worker.ExpireAsync(new ExpireRun(run.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.EndAsync(worker, run)).Type);
        Assert.Empty(rig.Backend.Creations);
    }

    [Fact]
    public async Task An_expiry_of_an_ended_run_reports_its_end_again()
    {
        finish.SetResult();
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        var end = await rig.EndAsync(worker, run);
        // The first ones may still meet the run itself, which has just told its end.
        for (var told = 1; told < 2; told = rig.Inbox.Events.Count(seen => seen.EventId == end.EventId))
        {
            await worker.ExpireAsync(new ExpireRun(run.OperationId));
            await Task.Yield();
        }
        Assert.Equal((nameof(OperationSucceeded), 1), (end.Type, rig.Inbox.Ends(run.OperationId)));
    }

    [Fact]
    public async Task A_run_that_an_earlier_process_began_goes_on()
    {
        var run = rig.Create("a");
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.BeginAsync(run.OperationId);
        });
        var worker = await rig.StartAsync();
        await worker.ExpireAsync(new ExpireRun(run.OperationId));
        finish.SetResult();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
    }
}
