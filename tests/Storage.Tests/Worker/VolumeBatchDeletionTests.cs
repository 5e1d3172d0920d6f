using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Many volumes that are removed by one operation.</summary>
public sealed class VolumeBatchDeletionTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly List<string> deleted = [];
    private FamilyWorker? worker;

    public VolumeBatchDeletionTests()
    {
        rig.Backend.Put("a", "b", "c", "d", "other");
        rig.Backend.Deleting = name =>
        {
            deleted.Add(name);
            return Task.CompletedTask;
        };
    }

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task Volumes_are_removed_each_after_those_that_are_built_on_it()
    {
        rig.Backend.Put(On("a", "c"), On("c", "b"));
        var run = Delete(["a", "b", "c", "d"]);
        Assert.Equal(nameof(OperationSucceeded), (await EndAsync(run)).Type);
        Assert.Equal(["a", "c", "b", "d"], deleted);
        Assert.Equal(["a", "c", "b", "d"], Told(run));
        Assert.Equal(["other"], rig.Backend.Names);
    }

    [Fact]
    public async Task One_that_is_not_there_is_found_before_the_first_is_removed()
    {
        var run = Delete(["a", "gone", "b"]);
        var error = await ErrorAsync(run);
        Assert.Equal((ErrorCodes.VolumeNotFound, "volumes[1]"), (error.Code, error.Field));
        Assert.Equal(Resources.Volume(rig.Pool.Uuid!.Value, "gone"), error.Resource);
        Assert.Empty(deleted);
        Assert.Empty(Told(run));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_is_in_use_is_found_before_the_first_is_removed_unless_it_is_forced(bool force)
    {
        rig.Backend.Users["c"] = "qemu (4711)";
        var run = Delete(["a", "b", "c"], force);
        if (force)
        {
            Assert.Equal(nameof(OperationSucceeded), (await EndAsync(run)).Type);
            Assert.Equal(["a", "b", "c"], deleted);
            return;
        }
        var error = await ErrorAsync(run);
        Assert.Equal((ErrorCodes.InUse, "volumes[2]"), (error.Code, error.Field));
        Assert.Equal("Volume 'c' cannot be removed: c is in use by qemu (4711). None was removed.", error.Message);
        Assert.Empty(deleted);
    }

    [Fact]
    public async Task What_was_removed_before_one_that_cannot_be_is_told_and_counted()
    {
        rig.Backend.Deleting = name => name == "c" ? Task.FromException(new IOException("The disk is gone.")) : Task.CompletedTask;
        var run = Delete(["a", "b", "c", "d"]);
        var error = await ErrorAsync(run);
        Assert.Equal((ErrorCodes.HostFailure, "volumes[2]"), (error.Code, error.Field));
        Assert.Equal("Volume 'c' cannot be removed: The disk is gone. Of 4 volumes 2 were removed.", error.Message);
        Assert.Equal(["a", "b"], Told(run));
        Assert.Equal(["c", "d", "other"], rig.Backend.Names);
    }

    [Fact]
    public async Task A_cancel_stops_it_and_what_was_removed_is_told()
    {
        var (entered, goOn) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        rig.Backend.Deleting = name =>
        {
            if (name != "b")
                return Task.CompletedTask;
            entered.SetResult();
            return goOn.Task;
        };
        worker = await rig.StartAsync();
        var run = Delete(["a", "b", "c"]);
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        goOn.SetResult();
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal(["a", "b"], Told(run));
        Assert.Equal(["c", "d", "other"], rig.Backend.Names);
    }

    [Fact]
    public async Task One_that_was_cut_off_is_carried_to_its_end_and_tells_all()
    {
        var run = Delete(["a", "b", "c"]);
        await CutOffAsync(run, "a", "c");
        await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal(["a", "b", "c"], Told(run).Order());
        Assert.Equal(["d", "other"], rig.Backend.Names);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_was_cut_off_and_then_fails_tells_what_it_had_removed(bool whileItIsLookedAt)
    {
        if (whileItIsLookedAt)
            rig.Backend.Users["b"] = "qemu (4711)";
        else
            rig.Backend.Deleting = name => name == "b" ? Task.FromException(new IOException("The disk is gone.")) : Task.CompletedTask;
        var run = Delete(["a", "b", "c"]);
        await CutOffAsync(run, "a");
        await rig.StartAsync();
        var error = await rig.Inbox.ErrorAsync(run.OperationId);
        Assert.Equal("volumes[1]", error.Field);
        Assert.EndsWith("Of 3 volumes 1 was removed.", error.Message, StringComparison.Ordinal);
        Assert.Equal(["a"], Told(run));
        Assert.Equal(["b", "c", "d", "other"], rig.Backend.Names);
    }

    [Fact]
    public async Task One_that_was_cut_off_and_cancelled_tells_what_it_had_removed()
    {
        var run = Delete(["a", "b", "c"]);
        await CutOffAsync(run, "a");
        await rig.LeaveAsync(journal => journal.CancelAsync(run.OperationId));
        await rig.StartAsync();
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal(["a"], Told(run));
        Assert.Equal(["b", "c", "d", "other"], rig.Backend.Names);
    }

    [Fact]
    public async Task One_that_is_delivered_again_removes_nothing_more()
    {
        var run = Delete(["a", "b"]);
        await EndAsync(run);
        rig.Backend.Put("a");
        await worker!.AcceptAsync(new RunOperations([run]));
        await EndAsync(rig.Refresh());
        Assert.Equal(["a", "b"], deleted);
        Assert.Contains("a", rig.Backend.Names);
    }

    [Fact]
    public async Task None_too_many_and_one_twice_are_refused()
    {
        foreach (var (names, field) in new (string[], string)[]
        {
            ([], "volumes"),
            ([.. Enumerable.Range(0, DeleteVolumes.Limit + 1).Select(i => $"{i}")], "volumes"),
            (["a", "b", "a"], "volumes[2]"),
        })
        {
            var error = await ErrorAsync(Delete(names));
            Assert.Equal((ErrorCodes.InvalidArgument, field), (error.Code, error.Field));
        }
        Assert.Empty(deleted);
    }

    private OperationRun Delete(string[] names, bool force = false) => rig.Run(new DeleteVolumes(null, "images", names, Force: force));

    private static VolumeDefinition On(string name, string backing) =>
        new() { Name = name, Capacity = 1, BackingStore = new BackingStore($"/srv/images/{backing}") };

    private async Task<StorageEvent> EndAsync(OperationRun run) => await rig.EndAsync(worker ??= await rig.StartAsync(), run);

    private async Task<StorageError> ErrorAsync(OperationRun run) => (await EndAsync(run)).Read<OperationFailed>().Error;

    private IEnumerable<string> Told(OperationRun run) => rig.Inbox.Events
        .Where(seen => seen.CommandId == run.OperationId && seen.Type == nameof(VolumeDeleted)).Select(seen => seen.Read<VolumeDeleted>().Name);

    /// <summary>As a process left it that was killed.</summary>
    private async Task CutOffAsync(OperationRun run, params string[] removed)
    {
        await rig.LeaveAsync(async journal =>
        {
            await journal.AcceptAsync([run]);
            await journal.BeginAsync(run.OperationId);
        });
        foreach (var name in removed)
            await rig.Backend.DeleteVolumeAsync(rig.Pool, name, null!, CancellationToken.None);
        deleted.Clear();
    }
}
