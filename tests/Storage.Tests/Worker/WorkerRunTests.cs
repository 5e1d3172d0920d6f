using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class WorkerRunTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    [Fact]
    public async Task A_run_reports_what_became_true_and_then_its_end()
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("disk.qcow2");
        await rig.EndAsync(worker, run);
        var events = rig.Inbox.Events.Where(seen => seen.CommandId == run.OperationId && seen.Type != nameof(OperationProgressed)).ToArray();
        Assert.Equal([nameof(VolumeCreated), nameof(OperationSucceeded)], events.Select(seen => seen.Type));
        Assert.Equal(Resources.Volume(rig.Pool.Uuid!.Value, "disk.qcow2"), events[0].Resource);
        Assert.Equal(Resources.Operation(run.OperationId), events[1].Resource);
        Assert.All(events, seen => Assert.Equal("host-a", seen.Host));
        Assert.True(events[0].Revision < events[1].Revision);
    }

    [Fact]
    public async Task Revisions_are_above_what_the_ledger_knows()
    {
        var worker = await rig.StartAsync();
        var far = new RevisionClock(TimeProvider.System).Next() + 3_600_000_000L;
        var end = await rig.EndAsync(worker, rig.Create("a") with { Revision = far });
        Assert.True(end.Revision > far);
    }

    public static TheoryData<string, string?> Behaviours => new()
    {
        { "returns", null },
        { "storage exception", ErrorCodes.NoSpace },
        { "unforeseen exception", ErrorCodes.Internal },
        { "cancels by itself", ErrorCodes.Timeout },
        { "io exception", ErrorCodes.HostFailure },
        { "fails at once", ErrorCodes.Internal },
    };

    [Theory]
    [MemberData(nameof(Behaviours))]
    public async Task Every_run_has_exactly_one_end_whatever_the_backend_does(string behaviour, string? code)
    {
        rig.Backend.Creating = (_, _, _) => behaviour switch
        {
            "storage exception" => Task.FromException(new StorageException(ErrorCodes.NoSpace, "full")),
            "unforeseen exception" => Task.FromException(new InvalidOperationException("never")),
            "cancels by itself" => Task.FromException(new TaskCanceledException()),
            "io exception" => Task.FromException(new IOException("host")),
            "fails at once" => throw new NotSupportedException("sync"),
            _ => Task.CompletedTask,
        };
        var worker = await rig.StartAsync();
        var run = rig.Create("a");
        var end = await rig.EndAsync(worker, run);
        await rig.EndAsync(worker, rig.Refresh());
        Assert.Equal(1, rig.Inbox.Ends(run.OperationId));
        Assert.Equal(code, end.Type == nameof(OperationFailed) ? end.Read<OperationFailed>().Error.Code : null);
        Assert.DoesNotContain("   at ", end.Data.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("..")]
    [InlineData("-rf")]
    [InlineData("a\nb")]
    [InlineData("")]
    public async Task A_name_that_leaves_the_pool_or_reads_as_an_option_reaches_no_backend(string name)
    {
        var worker = await rig.StartAsync();
        foreach (var run in new[] { rig.Create(name), rig.CreateMany("ok", name), rig.Run(new DeleteVolume(null, "images", name)), rig.Run(new RefreshVolume(null, "images", name)) })
        {
            await worker.AcceptAsync(new RunOperations([run]));
            Assert.Equal(ErrorCodes.InvalidDefinition, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        }
        Assert.Empty(rig.Backend.Creations);
    }

    [Fact]
    public async Task What_no_handler_or_backend_does_is_unsupported()
    {
        var worker = await rig.StartAsync();
        var unknown = rig.Create("a") with { Command = "PaintPool" };
        var other = rig.Run(new StartPool(null, "vg"), rig.Pool with { Type = PoolType.Logical });
        await worker.AcceptAsync(new RunOperations([unknown, other]));
        Assert.Equal(ErrorCodes.Unsupported, (await rig.Inbox.ErrorAsync(unknown.OperationId)).Code);
        Assert.Equal(ErrorCodes.Unsupported, (await rig.Inbox.ErrorAsync(other.OperationId)).Code);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"volume\":7,\"pool\":\"images\"}")]
    public async Task Arguments_that_cannot_be_read_fail_the_run(string arguments)
    {
        var worker = await rig.StartAsync();
        var run = rig.Create("a") with { Arguments = JsonDocument.Parse(arguments).RootElement };
        await worker.AcceptAsync(new RunOperations([run]));
        Assert.Equal(ErrorCodes.InvalidArgument, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
    }

    [Fact]
    public async Task A_long_run_is_seen_to_be_running()
    {
        var finish = new TaskCompletionSource();
        rig.Backend.Creating = (_, run, _) =>
        {
            run.Progress.Report(new OperationProgress(10));
            run.Progress.Report(new OperationProgress(20, 2 << 20, 10 << 20));
            return finish.Task;
        };
        var worker = await rig.StartAsync();
        var slow = rig.Create("a");
        await worker.AcceptAsync(new RunOperations([slow]));
        var progress = await rig.Inbox.FirstAsync<OperationProgressed>(slow.OperationId);
        var seen = progress.Read<OperationProgressed>().Progress;
        Assert.Equal((20, 2 << 20, 10 << 20), (seen.Percent, seen.BytesDone, seen.BytesTotal));
        // It took about a second until it was told.
        Assert.InRange(seen.BytesPerSecond!.Value, 1, 4 << 20);
        finish.SetResult();
        var end = await rig.Inbox.EndAsync(slow.OperationId);
        Assert.True(end.Revision > progress.Revision);
    }

    [Fact]
    public async Task A_pool_that_hangs_delays_no_other()
    {
        var hang = new TaskCompletionSource();
        var hung = new HashSet<string>();
        rig.Backend.Creating = (volume, _, _) =>
        {
            lock (hung)
                hung.Add(volume.Name);
            return volume.Name.StartsWith('h') ? hang.Task : Task.CompletedTask;
        };
        var worker = await rig.StartAsync();
        var hanging = Enumerable.Range(0, 10).Select(i => rig.Create($"h{i}", WorkerRig.NewPool("nfs") with { Uuid = Guid.Empty })).ToArray();
        await worker.AcceptAsync(new RunOperations(hanging));
        var end = await rig.EndAsync(worker, rig.Create("free"));
        Assert.Equal(nameof(OperationSucceeded), end.Type);
        Assert.InRange(hung.Count(name => name[0] == 'h'), 0, rig.Options.ConcurrentRunsPerPool);
        hang.SetResult();
        foreach (var run in hanging)
            await rig.Inbox.EndAsync(run.OperationId);
    }

    [Fact]
    public async Task A_pool_that_cannot_be_used_does_not_start()
    {
        rig.Backend.State = PoolState.Inaccessible;
        var worker = await rig.StartAsync();
        var run = rig.Run(new StartPool(null, "images"));
        await worker.AcceptAsync(new RunOperations([run]));
        Assert.Equal(ErrorCodes.HostFailure, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
        Assert.DoesNotContain(rig.Inbox.Events, seen => seen.Type is nameof(PoolStarted) or nameof(VolumesObserved));
    }

    [Fact]
    public async Task A_refresh_of_a_pool_that_is_gone_says_so()
    {
        rig.Backend.State = PoolState.Inaccessible;
        var worker = await rig.StartAsync();
        var run = rig.Refresh();
        await rig.EndAsync(worker, run);
        var changed = (await rig.Inbox.FirstAsync<PoolStateChanged>(run.OperationId)).Read<PoolStateChanged>();
        Assert.Equal(PoolState.Inaccessible, changed.State);
        Assert.NotNull(changed.Reason);
        Assert.Equal(ErrorCodes.HostFailure, (await rig.Inbox.ErrorAsync(run.OperationId)).Code);
    }

    [Fact]
    public async Task Pools_are_built_started_stopped_and_deleted()
    {
        var worker = await rig.StartAsync();
        foreach (var (run, type) in new (OperationRun, string)[]
        {
            (rig.Run(new BuildPool(null, "images")), nameof(PoolBuilt)),
            (rig.Run(new StartPool(null, "images")), nameof(PoolStarted)),
            (rig.Run(new DefinePool(null, rig.Pool, Transient: true)), nameof(PoolStarted)),
            (rig.Run(new StopPool(null, "images")), nameof(PoolStopped)),
            (rig.Run(new DeletePool(null, "images")), nameof(PoolDeleted)),
        })
        {
            Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, run)).Type);
            Assert.Contains(rig.Inbox.Events, seen => seen.CommandId == run.OperationId && seen.Type == type);
        }
    }

    [Fact]
    public async Task Sources_found_are_the_result_of_the_operation()
    {
        var worker = await rig.StartAsync();
        var run = rig.Run(new FindPoolSources(null, PoolType.Dir)) with { Pool = null };
        var end = await rig.EndAsync(worker, run);
        Assert.Equal("/srv", end.Read<OperationSucceeded>().Result!.Value[0].GetProperty("dir").GetString());
        Assert.Equal(Resources.Host("host-a"), (await rig.Inbox.FirstAsync<PoolSourcesFound>()).Resource);
    }

    [Fact]
    public async Task A_volume_is_refreshed_as_changed_or_vanished()
    {
        rig.Backend.Put("here");
        var worker = await rig.StartAsync();
        await rig.EndAsync(worker, rig.Run(new RefreshVolume(null, "images", "here")));
        await rig.EndAsync(worker, rig.Run(new RefreshVolume(null, "images", "gone")));
        Assert.Equal(EventCause.External, (await rig.Inbox.FirstAsync<VolumeChanged>()).Cause);
        Assert.Equal("gone", (await rig.Inbox.FirstAsync<VolumeVanished>()).Read<VolumeVanished>().Name);
    }

    [Fact]
    public async Task The_worker_announces_itself_with_what_it_can_do()
    {
        var worker = await rig.StartAsync();
        var announced = await rig.Inbox.FirstAsync<WorkerAnnounced>();
        Assert.Equal(Resources.Worker("host-a", PoolFamily.File), announced.Resource);
        var announcement = announced.Read<WorkerAnnounced>().Announcement;
        Assert.Equal((worker.Instance, "host-a"), (announcement.Instance, announcement.Host));
        Assert.Equal(PoolType.Dir, Assert.Single(announcement.PoolTypes).Type);
    }

    [Fact]
    public async Task A_type_that_gave_no_answer_is_asked_again_with_the_next_announcement()
    {
        var probes = 0;
        rig.Options.AnnounceInterval = TimeSpan.FromMilliseconds(20);
        rig.Backend.Probing = _ => Interlocked.Increment(ref probes) == 1 ? Task.FromException(new TimeoutException("Busy.")) : Task.CompletedTask;
        await rig.StartAsync();
        Assert.Equal("Busy.", Support(await rig.Inbox.FirstAsync<WorkerAnnounced>()).Reason);
        await rig.Inbox.UntilAsync(inbox => inbox.Events.Where(told => told.Type == nameof(WorkerAnnounced)).Any(told => Support(told).Available));

        static PoolTypeSupport Support(StorageEvent told) => Assert.Single(told.Read<WorkerAnnounced>().Announcement.PoolTypes);
    }
}
