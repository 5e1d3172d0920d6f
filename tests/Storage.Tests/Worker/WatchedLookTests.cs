using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>Looks of the watch that meet storage that hangs, and runs of our own.</summary>
public sealed class WatchedLookTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly string folder = Directory.CreateTempSubdirectory("watched-").FullName;
    private readonly WatchedBackend backend = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Storage_that_hangs_when_it_is_looked_at_holds_up_no_other_pool()
    {
        rig.Options.StorageAnswerLimit = TimeSpan.FromMilliseconds(300);
        using var answers = new ManualResetEventSlim();
        backend.Reading = name =>
        {
            if (name == "hangs")
                answers.Wait(CancellationToken.None);
        };
        var worker = await rig.StartAsync(backend);
        PoolDefinition hung = await StartAsync(worker, "hung"), healthy = await StartAsync(worker, "healthy");
        await File.WriteAllTextAsync($"{hung.Target.Path}/hangs", "", Cancellation);
        await rig.Inbox.UntilAsync(inbox => inbox.Events.Any(told => told.Type == nameof(PoolRefreshWanted)));
        await File.WriteAllTextAsync($"{healthy.Target.Path}/a", "", Cancellation);
        var seen = (await rig.Inbox.FirstAsync<VolumesSeen>()).Read<VolumesSeen>();
        Assert.Equal((healthy.Uuid, "a"), (seen.PoolId, Assert.Single(seen.Volumes).Name));
        answers.Set();
    }

    [Fact]
    public async Task What_a_run_begins_to_change_during_a_look_is_told_after_the_run_alone()
    {
        var (looking, goOn) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new ManualResetEventSlim());
        var reads = 0;
        backend.Reading = name =>
        {
            if (name != "a" || Interlocked.Increment(ref reads) > 1)
                return;
            looking.SetResult();
            goOn.Wait(CancellationToken.None);
        };
        var worker = await rig.StartAsync(backend);
        var pool = await StartAsync(worker, "p");
        await File.WriteAllTextAsync($"{pool.Target.Path}/a", "", Cancellation);
        await File.WriteAllTextAsync($"{pool.Target.Path}/b", "", Cancellation);
        await looking.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        var run = rig.Run(new RefreshVolume(null, "p", "a"), pool);
        await rig.EndAsync(worker, run);
        goOn.Set();
        await rig.Inbox.UntilAsync(inbox => Seen(inbox, "a").Any() && Seen(inbox, "b").Any());
        // What the first look saw of it was the run's, or older: only the look after the run is told.
        Assert.True((await rig.Inbox.EndAsync(run.OperationId)).Revision < Seen(rig.Inbox, "a").Single().Revision);
        goOn.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await rig.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static IEnumerable<StorageEvent> Seen(ReportInbox inbox, string name) => inbox.Events.Where(told =>
        told.Type == nameof(VolumesSeen) && told.Read<VolumesSeen>().Volumes.Any(volume => volume.Name == name));

    private async Task<PoolDefinition> StartAsync(FamilyWorker worker, string name)
    {
        var pool = WorkerRig.NewPool(name) with { Target = new PoolTarget { Path = Path.Combine(folder, name) } };
        Directory.CreateDirectory(pool.Target.Path!);
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, rig.Run(new StartPool(null, name), pool))).Type);
        return pool;
    }

    /// <summary>Real directories, which are read as slowly as a test wants.</summary>
    private sealed class WatchedBackend : IWatchedPool
    {
        public PoolType Type => PoolType.Dir;

        public Action<string> Reading { get; set; } = _ => { };

        public Task<PoolTypeSupport> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(new PoolTypeSupport(Type, true, null, [], [], []));

        public Task<PoolState> CheckAsync(PoolDefinition pool, CancellationToken cancellationToken) => Task.FromResult(PoolState.Running);

        public Task<PoolObservation> RefreshAsync(
            PoolDefinition pool, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken) =>
            Task.FromResult(new PoolObservation(PoolState.Running, 0, 0, 0));

        public Task<VolumeDefinition?> ReadVolumeAsync(PoolDefinition pool, string volume, CancellationToken cancellationToken)
        {
            Reading(volume);
            return Task.FromResult(File.Exists($"{pool.Target.Path}/{volume}") ? new VolumeDefinition { Name = volume, Capacity = 0 } : null);
        }

        public string WatchedDirectory(PoolDefinition pool) => pool.Target.Path!;
    }
}
