using System.Diagnostics;
using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Calls that block their thread, as on a mount whose server is gone, until the storage answers again.</summary>
public sealed class HungStorageTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WorkerRig rig = new();
    private readonly ManualResetEventSlim answers = new();
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PoolDefinition healthy = WorkerRig.NewPool("healthy");

    public HungStorageTests()
    {
        rig.Options.StorageAnswerLimit = Limit;
        rig.Backend.Creating = (volume, _, _) => volume.Name.StartsWith("hung", StringComparison.Ordinal) ? HangAsync() : Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        answers.Set();
        await rig.DisposeAsync();
        answers.Dispose();
    }

    [Fact]
    public async Task A_run_whose_storage_does_not_answer_fails_and_may_be_tried_again()
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("hung");
        await worker.AcceptAsync(new RunOperations([run]));
        var error = await rig.Inbox.ErrorAsync(run.OperationId);
        Assert.Equal((ErrorCodes.Timeout, true), (error.Code, error.Retryable));
        Assert.StartsWith("The storage at /srv/images does not answer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_runs_on_a_pool_that_hangs_hold_up_no_other_pool_and_cost_no_more_threads_than_run_side_by_side()
    {
        rig.Options.ConcurrentRunsPerPool = 5;
        var worker = await rig.StartAsync();
        var runs = Enumerable.Range(0, 12).Select(i => rig.Create($"hung-{i}")).ToArray();
        await worker.AcceptAsync(new RunOperations(runs));
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, rig.Create("a", healthy))).Type);
        foreach (var run in runs)
            Assert.Equal(ErrorCodes.Timeout, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        Assert.Equal(5, rig.Backend.Creations.Count(creation => creation.Volume.StartsWith("hung", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_creation_that_comes_back_after_its_end_is_undone_and_told_to_nobody()
    {
        var deleted = OnDelete("hung");
        var worker = await rig.StartAsync();
        var run = rig.Create("hung");
        await rig.EndAsync(worker, run);
        answers.Set();
        await deleted;
        await EventuallyAsync(worker, () => rig.Create("next"));
        Assert.Equal(["next"], rig.Backend.Names);
        Assert.Equal([nameof(OperationFailed)], TypesOf(run));
    }

    [Fact]
    public async Task Many_volumes_of_which_one_hangs_are_all_removed_when_it_comes_back()
    {
        var deleted = OnDelete("a");
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "b", "hung", "c");
        await rig.EndAsync(worker, run);
        answers.Set();
        await deleted;
        await EventuallyAsync(worker, () => rig.Create("next"));
        Assert.Equal(["next"], rig.Backend.Names);
        Assert.Equal([nameof(OperationFailed)], TypesOf(run));
    }

    [Fact]
    public async Task A_cancel_ends_a_run_that_hangs()
    {
        rig.Options.StorageAnswerLimit = TimeSpan.FromMinutes(10);
        var deleted = OnDelete("hung");
        var worker = await rig.StartAsync();
        var run = rig.Create("hung");
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        answers.Set();
        await deleted;
        Assert.Equal([nameof(OperationCancelled)], TypesOf(run));
    }

    [Fact]
    public async Task While_a_change_hangs_nothing_else_is_changed_and_looking_is_allowed()
    {
        var worker = await rig.StartAsync();
        await rig.EndAsync(worker, rig.Create("hung"));
        var change = rig.Create("other");
        await rig.EndAsync(worker, change);
        Assert.Contains("an earlier change still hangs", (await rig.Inbox.ErrorAsync(change.OperationId)).Message, StringComparison.Ordinal);
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, rig.Refresh())).Type);
        answers.Set();
        await EventuallyAsync(worker, () => rig.Create("other"));
    }

    [Fact]
    public async Task A_refresh_that_hangs_or_is_refused_says_that_the_pool_is_inaccessible_and_why()
    {
        rig.Options.HungCallsPerPool = 1;
        rig.Backend.Checking = _ => HangAsync();
        var worker = await rig.StartAsync();
        foreach (var run in new[] { rig.Refresh(), rig.Refresh() })
        {
            await rig.EndAsync(worker, run);
            var change = (await rig.Inbox.FirstAsync<PoolStateChanged>(run.OperationId)).Data.Deserialize<PoolStateChanged>(StorageJson.Options)!;
            Assert.Equal((PoolState.Inaccessible, (await rig.Inbox.ErrorAsync(run.OperationId)).Message), (change.State, change.Reason));
        }
        Assert.Equal(1, rig.Backend.Checks);
        answers.Set();
        Assert.Contains(nameof(PoolRefreshed), TypesOf(await EventuallyAsync(worker, rig.Refresh)));
    }

    [Fact]
    public async Task A_pool_that_takes_nothing_more_can_still_be_stopped()
    {
        rig.Options.HungCallsPerPool = 1;
        rig.Backend.Checking = _ => HangAsync();
        var worker = await rig.StartAsync();
        await rig.EndAsync(worker, rig.Refresh());
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, rig.Run(new StopPool(null, "images")))).Type);
    }

    [Fact]
    public async Task Work_that_computes_or_awaits_for_longer_than_the_limit_does_not_hang()
    {
        var wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Backend.Creating = (volume, _, _) => volume.Name switch
        {
            "computes" => ComputeAsync(Limit * 3),
            "awaits" => wait.Task,
            _ => HangAsync(),
        };
        var worker = await rig.StartAsync();
        OperationRun awaits = rig.Create("awaits", healthy), computes = rig.Create("computes", healthy);
        await worker.AcceptAsync(new RunOperations([awaits, computes]));
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(computes.OperationId)).Type);
        // It began after the two others and is at its limit: so are they.
        await rig.EndAsync(worker, rig.Create("hung"));
        Assert.Equal(0, rig.Inbox.Ends(awaits.OperationId));
        wait.SetResult();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(awaits.OperationId)).Type);
    }

    [Fact]
    public async Task A_probe_that_hangs_keeps_no_announcement_back()
    {
        rig.Backend.Probing = _ => HangAsync();
        await rig.StartAsync();
        var announced = (await rig.Inbox.FirstAsync<WorkerAnnounced>()).Data.Deserialize<WorkerAnnounced>(StorageJson.Options)!;
        var support = Assert.Single(announced.Announcement.PoolTypes);
        Assert.False(support.Available);
        Assert.Contains("does not answer", support.Reason, StringComparison.Ordinal);
    }

    private static Task ComputeAsync(TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < duration)
            Thread.SpinWait(100);
        return Task.CompletedTask;
    }

    private Task HangAsync()
    {
        entered.TrySetResult();
        answers.Wait(CancellationToken.None);
        return Task.CompletedTask;
    }

    private Task OnDelete(string volume)
    {
        var deleted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Backend.Deleting = name =>
        {
            if (name == volume)
                deleted.TrySetResult();
            return Task.CompletedTask;
        };
        return deleted.Task.WaitAsync(Patience);
    }

    /// <summary>Tries again while the storage is said not to answer, as a client does.</summary>
    private async Task<OperationRun> EventuallyAsync(FamilyWorker worker, Func<OperationRun> next)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            var run = next();
            if ((await rig.EndAsync(worker, run)).Type == nameof(OperationSucceeded))
                return run;
            Assert.Equal(ErrorCodes.Timeout, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        }
    }

    private IEnumerable<string> TypesOf(OperationRun run) =>
        rig.Inbox.Events.Where(seen => seen.CommandId == run.OperationId && seen.Type != nameof(OperationProgressed)).Select(seen => seen.Type);
}
