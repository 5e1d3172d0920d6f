using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>Volumes that are there and are changed: resized and overwritten.</summary>
public sealed class VolumeChangeTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public VolumeChangeTests() => rig.Backend.Put("a");

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task A_difference_that_was_cut_off_after_it_was_applied_is_not_applied_again()
    {
        rig.Backend.Changing = HangAsync;
        var worker = await rig.StartAsync();
        var run = rig.Run(new ResizeVolume(null, "images", "a", 5, Delta: true));
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.DisposeAsync();
        Assert.Equal(6, (await ReadAsync()).Capacity);
        rig.Backend.Changing = (_, _) => Task.CompletedTask;
        await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal(6, (await ReadAsync()).Capacity);
        Assert.Equal(6, Told<VolumeResized>(run).Volume.Capacity);
    }

    [Fact]
    public async Task A_wiped_volume_is_told_with_its_algorithm()
    {
        var worker = await rig.StartAsync();
        var run = rig.Run(new WipeVolume(null, "images", "a", WipeAlgorithm.Bsi));
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, run)).Type);
        Assert.Equal(WipeAlgorithm.Bsi, Told<VolumeWiped>(run).Algorithm);
    }

    [Theory]
    [InlineData(false, "half")]
    [InlineData(true, null)]
    public async Task A_run_that_was_cut_off_finds_its_checkpoint_unless_another_replica_may_have_had_it(bool shared, string? found)
    {
        var plans = new List<string?>();
        rig.Backend.Changing = HangAsync;
        rig.Backend.Wiping = run =>
        {
            plans.Add(run.Plan);
            return run.CheckpointAsync("half");
        };
        var worker = await rig.StartAsync();
        var run = rig.Run(new WipeVolume(null, "images", "a")) with { Shared = shared };
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.DisposeAsync();
        rig.Backend.Changing = (_, _) => Task.CompletedTask;
        await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal([null, found], plans);
    }

    [Fact]
    public async Task A_wipe_that_is_cancelled_tells_how_the_volume_is_left()
    {
        rig.Backend.Changing = HangAsync;
        var worker = await rig.StartAsync();
        var run = rig.Run(new WipeVolume(null, "images", "a"));
        await worker.AcceptAsync(new RunOperations([run]));
        await entered.Task;
        await worker.CancelAsync(new CancelRun(run.OperationId));
        Assert.Equal(nameof(OperationCancelled), (await rig.Inbox.EndAsync(run.OperationId)).Type);
        Assert.Equal("raw", Told<VolumeChanged>(run).Volume.Format);
    }

    [Fact]
    public async Task A_refusal_before_anything_was_begun_tells_nothing_of_the_volume()
    {
        var worker = await rig.StartAsync();
        foreach (var (command, code) in new[]
        {
            (new ResizeVolume(null, "images", "a", 0), ErrorCodes.InvalidArgument),
            (new ResizeVolume(null, "images", "gone", 5), ErrorCodes.VolumeNotFound),
        })
        {
            var run = rig.Run(command);
            await worker.AcceptAsync(new RunOperations([run]));
            Assert.Equal(code, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
            Assert.DoesNotContain(rig.Inbox.Events, seen => seen.CommandId == run.OperationId && seen.Type.StartsWith("Volume", StringComparison.Ordinal));
        }
    }

    public static TheoryData<ICommand, bool> OnAVolumeInUse() => new()
    {
        { new DeleteVolume(null, "images", "a"), false },
        { new WipeVolume(null, "images", "a"), false },
        { new ResizeVolume(null, "images", "a", 0, Shrink: true), false },
        { new DeleteVolume(null, "images", "a", Force: true), true },
        { new WipeVolume(null, "images", "a", Force: true), true },
        { new ResizeVolume(null, "images", "a", 0, Shrink: true, Force: true), true },
        { new ResizeVolume(null, "images", "a", 5), true },
    };

    [Theory]
    [MemberData(nameof(OnAVolumeInUse), DisableDiscoveryEnumeration = true)]
    public async Task What_takes_data_away_from_a_volume_in_use_is_refused_unless_it_is_forced(ICommand command, bool done)
    {
        rig.Backend.Users["a"] = "qemu (4711)";
        var worker = await rig.StartAsync();
        var before = await ReadAsync();
        var run = rig.Run(command);
        await worker.AcceptAsync(new RunOperations([run]));
        var end = await rig.Inbox.EndAsync(run.OperationId);
        if (done)
        {
            Assert.Equal(nameof(OperationSucceeded), end.Type);
            return;
        }
        var error = end.Read<OperationFailed>().Error;
        Assert.Equal((ErrorCodes.InUse, "a is in use by qemu (4711)."), (error.Code, error.Message));
        Assert.Equal(before, await ReadAsync());
    }

    private async Task HangAsync(string volume, CancellationToken cancellationToken)
    {
        entered.TrySetResult();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    private async Task<VolumeDefinition> ReadAsync() =>
        (await rig.Backend.ReadVolumeAsync(rig.Pool, "a", TestContext.Current.CancellationToken))!;

    private T Told<T>(OperationRun run) =>
        rig.Inbox.Events.Single(seen => seen.CommandId == run.OperationId && seen.Type == typeof(T).Name).Read<T>();
}
