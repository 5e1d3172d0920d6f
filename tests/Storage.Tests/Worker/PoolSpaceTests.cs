using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>How full a pool is, told without a refresh.</summary>
public sealed class PoolSpaceTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly CountingBackend backend = new();

    [Fact]
    public async Task A_volume_that_was_made_or_deleted_changes_what_is_told_of_its_pool()
    {
        var worker = await rig.StartAsync(backend);
        await rig.EndAsync(worker, rig.Create("a"));
        await ToldAsync(1);
        await rig.EndAsync(worker, rig.Run(new DeleteVolume(null, "images", "a")));
        var told = await ToldAsync(0);
        Assert.Equal(new PoolSpaceChanged(rig.Pool.Uuid!.Value, 100, 0, 100), told.Read<PoolSpaceChanged>());
        Assert.Equal((Resources.Pool(rig.Pool.Uuid.Value), EventCause.System, null), (told.Resource, told.Cause, told.CommandId));
    }

    [Fact]
    public async Task Many_volumes_are_told_together()
    {
        const int Many = 90;
        var worker = await rig.StartAsync(backend);
        var runs = Enumerable.Range(0, Many).Select(i => rig.Create($"v{i}")).ToList();
        await worker.AcceptAsync(new RunOperations(runs));
        foreach (var run in runs)
            await rig.Inbox.EndAsync(run.OperationId);
        await ToldAsync(Many);
        Assert.InRange(All.Count(), 1, Many / 2);
        Assert.Equal(All.Select(told => told.Revision).Order(), All.Select(told => told.Revision));
    }

    [Fact]
    public async Task What_a_refresh_has_told_is_not_told_again()
    {
        var worker = await rig.StartAsync(backend);
        await rig.EndAsync(worker, rig.Refresh());
        backend.Moves = false;
        await rig.EndAsync(worker, rig.Create("a"));
        await backend.Looked.WaitAsync(TestContext.Current.CancellationToken);
        backend.Moves = true;
        await rig.EndAsync(worker, rig.Create("b"));
        await ToldAsync(2);
        Assert.Single(All);
    }

    [Fact]
    public async Task Of_a_pool_that_is_not_usable_nothing_is_told()
    {
        var worker = await rig.StartAsync(backend);
        backend.State = PoolState.Inaccessible;
        await rig.EndAsync(worker, rig.Create("a"));
        await backend.Looked.WaitAsync(TestContext.Current.CancellationToken);
        backend.State = PoolState.Running;
        await rig.EndAsync(worker, rig.Create("b"));
        await ToldAsync(2);
        Assert.Single(All);
    }

    [Fact]
    public void As_much_room_in_another_place_is_news()
    {
        var told = new PoolSpace(100, 40, 60, [new FreeExtent(10, 30), new FreeExtent(60, 100)]);
        Assert.True(told.IsSame(told with { FreeExtents = [new FreeExtent(10, 30), new FreeExtent(60, 100)] }));
        Assert.False(told.IsSame(told with { FreeExtents = [new FreeExtent(0, 20), new FreeExtent(60, 100)] }));
        Assert.False(told.IsSame(told with { Available = 61 }));
    }

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private IEnumerable<StorageEvent> All => rig.Inbox.Events.Where(told => told.Type == nameof(PoolSpaceChanged));

    private async Task<StorageEvent> ToldAsync(long allocation)
    {
        bool Wanted(StorageEvent told) => told.Type == nameof(PoolSpaceChanged) && told.Read<PoolSpaceChanged>().Allocation == allocation;
        await rig.Inbox.UntilAsync(inbox => inbox.Events.Any(Wanted));
        return rig.Inbox.Events.First(Wanted);
    }

    /// <summary>A pool of 100 bytes of which each volume takes one.</summary>
    private sealed class CountingBackend : IVolumeCreator, IVolumeDeleter, IPoolSpace
    {
        private readonly InMemoryBackend host = new();
        private readonly TaskCompletionSource looked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PoolType Type => host.Type;

        public PoolState State { get; set; } = PoolState.Running;

        /// <summary>Whether volumes take anything.</summary>
        public bool Moves { get; set; } = true;

        /// <summary>The pool was looked at after a volume had changed.</summary>
        public Task Looked => looked.Task;

        public Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => host.ProbeAsync(cancellationToken);

        public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) => Task.FromResult(State);

        public async Task<PoolObservation> RefreshAsync(
            PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken)
        {
            var space = (await ReadSpaceAsync(pool, cancellationToken))!;
            return new PoolObservation(State, space.Capacity, space.Allocation, space.Available);
        }

        public Task<PoolSpace?> ReadSpaceAsync(PoolDefinition pool, CancellationToken cancellationToken)
        {
            if (State is PoolState.Inaccessible)
            {
                looked.TrySetResult();
                return Task.FromResult<PoolSpace?>(null);
            }
            var taken = Moves ? host.Names.Length : 0;
            if (host.Names.Length > 0)
                looked.TrySetResult();
            return Task.FromResult<PoolSpace?>(new PoolSpace(100, taken, 100 - taken));
        }

        public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
            host.ReadVolumeAsync(pool, volume, cancellationToken);

        public Task<VolumeDefinition> CreateVolumeAsync(PoolDefinition pool, VolumeDefinition volume, Run run, CancellationToken cancellationToken) =>
            host.CreateVolumeAsync(pool, volume, run, cancellationToken);

        public Task DeleteVolumeAsync(PoolDefinition pool, string volume, Run run, CancellationToken cancellationToken) =>
            host.DeleteVolumeAsync(pool, volume, run, cancellationToken);
    }
}
