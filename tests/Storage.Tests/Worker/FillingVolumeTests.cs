using System.Collections.Concurrent;
using System.Threading.Channels;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Volumes that fill up by what guests write are looked at without being told to.</summary>
public sealed class FillingVolumeTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new() { Time = new HurriedTime() };
    private readonly FillingBackend backend = new();

    [Fact]
    public async Task A_thin_pool_that_has_become_fuller_is_told_once_and_a_fraction_of_a_percent_is_not()
    {
        var worker = await rig.StartAsync(backend);
        await rig.EndAsync(worker, rig.Refresh());
        // What a run has told meanwhile is not known here.
        await rig.Inbox.UntilAsync(_ => Seen.Any());
        backend.Percent = 85;
        await rig.Inbox.UntilAsync(_ => Seen.Count() == 2);
        backend.Percent = 85.5;
        await backend.LooksAsync(2);
        Assert.Equal(2, Seen.Count());
        var told = Seen.Last();
        Assert.Equal(85, Assert.Single(told.Read<VolumesSeen>().Volumes).Layout!.DataPercent);
        Assert.Equal((Resources.Pool(rig.Pool.Uuid!.Value), EventCause.External, null), (told.Resource, told.Cause, told.CommandId));
    }

    [Fact]
    public async Task A_pool_that_was_stopped_is_not_looked_at()
    {
        var worker = await rig.StartAsync(backend);
        await rig.EndAsync(worker, rig.Refresh());
        await backend.LooksAsync(1);
        await rig.EndAsync(worker, rig.Run(new StopPool(null, "images")));
        var other = WorkerRig.NewPool("others");
        await rig.EndAsync(worker, rig.Run(new RefreshPool(null, "others"), other));
        backend.Looked.Clear();
        await backend.LooksAsync(3);
        // One look may have been going on.
        Assert.InRange(backend.Looked.Count(pool => pool == "images"), 0, 1);
    }

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private IEnumerable<StorageEvent> Seen => rig.Inbox.Events.Where(told => told.Type == nameof(VolumesSeen));

    /// <summary>A clock whose timers come a hundred times as soon.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, Sooner(dueTime), Sooner(period));

        private static TimeSpan Sooner(TimeSpan span) => span > TimeSpan.Zero ? span / 100 : span;
    }

    private sealed class FillingBackend : IFillingVolumes
    {
        private readonly InMemoryBackend host = new();
        private readonly Channel<string> looks = Channel.CreateUnbounded<string>();
        private double percent = 50.1;

        public PoolType Type => host.Type;

        public double Percent
        {
            get => Volatile.Read(ref percent);
            set => Volatile.Write(ref percent, value);
        }

        public ConcurrentQueue<string> Looked { get; } = [];

        public async Task LooksAsync(int count)
        {
            while (looks.Reader.TryRead(out _))
            {
            }
            for (var i = 0; i < count; i++)
                await looks.Reader.ReadAsync(TestContext.Current.CancellationToken);
        }

        public Task<IReadOnlyList<VolumeDefinition>> ReadFillingAsync(PoolDefinition pool, CancellationToken cancellationToken)
        {
            Looked.Enqueue(pool.Name!);
            looks.Writer.TryWrite(pool.Name!);
            return Task.FromResult<IReadOnlyList<VolumeDefinition>>(
                [new VolumeDefinition { Name = "blocks", Layout = new VolumeLayout(LayoutKind.ThinPool, DataPercent: Percent, MetadataPercent: 1) }]);
        }

        public Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => host.ProbeAsync(cancellationToken);

        public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) => host.CheckAsync(pool, cancellationToken);

        public Task<PoolObservation> RefreshAsync(PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken) =>
            host.RefreshAsync(pool, onVolume, run, cancellationToken);

        public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken) =>
            host.ReadVolumeAsync(pool, volume, cancellationToken);
    }
}
