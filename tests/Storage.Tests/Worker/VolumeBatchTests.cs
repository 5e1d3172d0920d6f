using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeBatchTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private async Task<IEnumerable<string>> EventsAsync(OperationRun run)
    {
        await rig.Inbox.EndAsync(run.OperationId);
        return rig.Inbox.Events.Where(seen => seen.CommandId == run.OperationId && seen.Type != nameof(OperationProgressed)).Select(seen => seen.Type);
    }

    [Fact]
    public async Task The_bytes_of_a_batch_are_those_of_all_its_volumes_so_far()
    {
        rig.Backend.Creating = async (volume, run, _) =>
        {
            run.Progress.Report(new OperationProgress(50, 10, 20));
            if (volume.Name == "b")
                await rig.Inbox.UntilAsync(inbox => inbox.Events.Any(seen => seen.Type == nameof(OperationProgressed)
                    && seen.Read<OperationProgressed>().Progress is { Percent: 75, BytesDone: 20 }));
        };
        var worker = await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, rig.CreateMany("a", "b"))).Type);
    }

    [Fact]
    public async Task The_progress_of_many_volumes_counts_what_is_done_of_the_one_in_the_making()
    {
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Backend.Creating = (volume, run, _) =>
        {
            if (volume.Name != "b")
                return Task.CompletedTask;
            run.Progress.Report(new OperationProgress(50));
            return finish.Task;
        };
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "b", "c", "d");
        await worker.AcceptAsync(new RunOperations([run]));
        var progress = await rig.Inbox.FirstAsync<OperationProgressed>(run.OperationId);
        Assert.Equal(37.5, progress.Read<OperationProgressed>().Progress.Percent);
        finish.SetResult();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
    }

    [Fact]
    public async Task All_volumes_are_created_in_one_operation()
    {
        var worker = await rig.StartAsync();
        var run = rig.CreateMany([.. Enumerable.Range(0, 250).Select(i => $"v{i:d3}")]);
        await rig.EndAsync(worker, run);
        Assert.Equal([.. Enumerable.Repeat(nameof(VolumeCreated), 250), nameof(OperationSucceeded)], await EventsAsync(run));
        Assert.Equal(250, rig.Backend.Names.Length);
    }

    [Fact]
    public async Task A_failure_removes_the_volumes_already_made_and_no_others()
    {
        rig.Backend.Put("old");
        rig.Backend.Creating = (volume, _, _) => volume.Name == "c"
            ? Task.FromException(new StorageException(ErrorCodes.NoSpace, "full"))
            : Task.CompletedTask;
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "b", "c", "d");
        await rig.EndAsync(worker, run);
        Assert.Equal(ErrorCodes.NoSpace, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        Assert.Equal(["old"], rig.Backend.Names);
        Assert.Equal([nameof(OperationFailed)], await EventsAsync(run));
    }

    [Fact]
    public async Task A_name_that_is_taken_is_found_before_anything_is_made()
    {
        rig.Backend.Put("c");
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "b", "c");
        await rig.EndAsync(worker, run);
        Assert.Equal(ErrorCodes.VolumeExists, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        Assert.Empty(rig.Backend.Creations);
        Assert.Equal(["c"], rig.Backend.Names);
    }

    [Fact]
    public async Task A_name_that_is_there_twice_is_refused()
    {
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "a");
        await rig.EndAsync(worker, run);
        Assert.Equal((ErrorCodes.InvalidArgument, "volumes[1].name"), (await rig.Inbox.ErrorAsync(run.OperationId)) is var e ? (e.Code, e.Field) : default);
    }

    [Fact]
    public async Task None_and_too_many_are_refused()
    {
        var worker = await rig.StartAsync();
        foreach (var run in new[] { rig.CreateMany(), rig.CreateMany([.. Enumerable.Range(0, CreateVolumes.Limit + 1).Select(i => $"{i}")]) })
        {
            await rig.EndAsync(worker, run);
            Assert.Equal(ErrorCodes.InvalidArgument, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        }
    }

    [Fact]
    public async Task A_cancel_removes_the_volumes_already_made()
    {
        var entered = new TaskCompletionSource();
        rig.Backend.Creating = async (volume, _, token) =>
        {
            if (volume.Name != "b")
                return;
            entered.SetResult();
            await Task.Delay(Timeout.Infinite, token);
        };
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "b");
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        Assert.Equal([nameof(OperationCancelled)], await EventsAsync(run));
        Assert.Empty(rig.Backend.Names);
    }

    [Fact]
    public async Task What_cannot_be_removed_again_is_said_to_be_there()
    {
        rig.Backend.Creating = (volume, _, _) => volume.Name == "c" ? Task.FromException(new IOException("gone")) : Task.CompletedTask;
        rig.Backend.Deleting = name => name == "a" ? Task.FromException(new IOException("busy")) : Task.CompletedTask;
        var worker = await rig.StartAsync();
        var run = rig.CreateMany("a", "b", "c");
        await rig.EndAsync(worker, run);
        Assert.Equal([nameof(VolumeCreated), nameof(OperationFailed)], await EventsAsync(run));
        Assert.Equal("a", (await rig.Inbox.FirstAsync<VolumeCreated>()).Read<VolumeCreated>().Volume.Name);
    }

    [Fact]
    public async Task A_batch_that_was_cut_off_is_completed()
    {
        var run = rig.CreateMany("a", "b", "c");
        await CutOffAsync(run);
        await rig.StartAsync();
        Assert.Equal([nameof(VolumeCreated), nameof(VolumeCreated), nameof(VolumeCreated), nameof(OperationSucceeded)], await EventsAsync(run));
        Assert.Equal([("c", true)], rig.Backend.Creations);
    }

    [Fact]
    public async Task A_batch_that_was_cut_off_and_then_fails_leaves_nothing()
    {
        rig.Backend.Creating = (_, _, _) => Task.FromException(new IOException("full"));
        var run = rig.CreateMany("a", "b", "c");
        await CutOffAsync(run);
        await rig.StartAsync();
        Assert.Equal([nameof(OperationFailed)], await EventsAsync(run));
        Assert.Empty(rig.Backend.Names);
    }

    [Fact]
    public async Task A_batch_that_was_cut_off_and_then_fails_does_not_touch_what_is_not_its_own()
    {
        rig.Backend.Creating = (volume, _, _) => volume.Name == "b" ? Task.FromException(new IOException("full")) : Task.CompletedTask;
        var run = rig.CreateMany("a", "b", "c");
        await CutOffAsync(run, []);
        rig.Backend.Put("c");
        await rig.StartAsync();
        Assert.Equal([nameof(OperationFailed)], await EventsAsync(run));
        Assert.Equal(["c"], rig.Backend.Names);
    }

    private Task CutOffAsync(OperationRun run) => CutOffAsync(run, ["a", "b"]);

    private async Task CutOffAsync(OperationRun run, string[] made)
    {
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.BeginAsync(run.OperationId);
        });
        rig.Backend.Put(made);
    }
}
