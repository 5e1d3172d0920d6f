using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>
/// What every pool of files can and must do, driven as its worker is driven, on real storage of this machine and of the lab VM. Of pools of devices it is
/// <see cref="DeviceConformanceTests"/>.
/// </summary>
[Collection(Lab.Name)]
public sealed class ConformanceTests : IAsyncDisposable
{
    private string? kind;
    private HostUnderTest host = null!;
    private PoolUnderTest pool = null!;

    public static IEnumerable<TheoryDataRow<string>> Pools => PoolKinds.Rows(kind => !kind.Devices && !kind.MountedOtherwise);

    /// <summary>With those that are only mounted otherwise than another kind.</summary>
    public static IEnumerable<TheoryDataRow<string>> PoolsOfEveryMount => PoolKinds.Rows(kind => !kind.Devices);

    /// <summary>All fourteen types, also those that no worker serves yet.</summary>
    public static IEnumerable<TheoryDataRow<string>> AllPools => PoolsOfEveryMount.Concat(PoolKinds.NotBuiltRows);

    /// <summary>A directory that is not mounted has nothing to stop.</summary>
    public static IEnumerable<TheoryDataRow<string>> MountedPools => PoolKinds.Rows(kind => !kind.Devices && kind.Type is not PoolType.Dir);

    /// <summary>Where the worker is killed: the run is accepted, begun, ended; its tool is about to start, and has ended.</summary>
    public static IEnumerable<TheoryDataRow<string, string>> CrashPoints =>
        from pool in PoolKinds.All
        from step in new[] { "JournalCommitted#1", "JournalCommitted#2", "JournalCommitting#3", "ToolStarting#1", "ToolEnded#1" }
        where !pool.Value.Devices && !pool.Value.MountedOtherwise
        // An emulated agent takes its time to start again.
        where pool.Value.Place is not PoolPlace.Lab || step == "ToolEnded#1"
        select PoolKinds.InPlace(new TheoryDataRow<string, string>(pool.Key, step), pool.Value);

    /// <summary>The run is accepted, begun, and all are removed.</summary>
    public static IEnumerable<TheoryDataRow<string, string>> DeletionCrashPoints =>
        from pool in PoolKinds.All
        from step in new[] { "JournalCommitted#1", "JournalCommitted#2", "JournalCommitting#3" }
        where !pool.Value.Devices && !pool.Value.MountedOtherwise && pool.Value.Place is not PoolPlace.Lab
        select PoolKinds.InPlace(new TheoryDataRow<string, string>(pool.Key, step), pool.Value);

    private string Name => pool.Definition.Name!;

    private DrivenPool Driven => new(host, pool);

    [Theory]
    [MemberData(nameof(AllPools))]
    public async Task A_pool_lives_from_build_to_delete_and_what_is_done_again_succeeds(string kind)
    {
        await UseAsync(kind);
        for (var i = 0; i < 2; i++)
            Assert.Single(Told<PoolBuilt>(await DoneAsync(new BuildPool(null, Name))));
        for (var i = 0; i < 2; i++)
            Assert.Equal(PoolState.Running, Assert.Single(Told<PoolStarted>(await DoneAsync(new StartPool(null, Name)))).Observation.State);
        Assert.Equal(pool.Mounts, host.IsMounted(pool.Target));
        await DoneAsync(new CreateVolume(null, Name, Volume("kept", "raw")));
        for (var i = 0; i < 2; i++)
            Assert.Single(Told<PoolStopped>(await DoneAsync(new StopPool(null, Name))));
        Assert.False(pool.Mounts && host.IsMounted(pool.Target));
        Assert.Equal(!pool.Mounts, host.Exists($"{pool.Target}/kept"));
        await DoneAsync(new StartPool(null, Name));
        Assert.True(host.Exists($"{pool.Target}/kept"));
        await DoneAsync(new DeleteVolume(null, Name, "kept"));
        await DoneAsync(new StopPool(null, Name));
        for (var i = 0; i < 2; i++)
            Assert.Single(Told<PoolDeleted>(await DoneAsync(new DeletePool(null, Name))));
        Assert.False(host.Exists(pool.Target));
        Assert.DoesNotContain(host.Events, told => told.Type == nameof(PoolStateChanged) && told.Read<PoolStateChanged>().PoolId == pool.Definition.Uuid);
    }

    [Theory]
    [MemberData(nameof(PoolsOfEveryMount))]
    public async Task Volumes_are_made_seen_and_removed(string kind)
    {
        await StartAsync(kind);
        await DoneAsync(new CreateVolume(null, Name, Volume("sparse", "raw") with { Allocation = 0 }));
        await DoneAsync(new CreateVolume(null, Name, Volume("full", "raw")));
        await DoneAsync(new CreateVolume(null, Name, Volume("image", "qcow2")));
        await DoneAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = "directory", Format = "dir", Capacity = 0 }));
        var seen = await RefreshAsync();
        Assert.Equal(["directory", "full", "image", "sparse"], seen.Where(volume => volume.Name != "lost+found").Select(volume => volume.Name));
        Assert.All(seen.Where(volume => volume.Format is "raw" or "qcow2"), volume => Assert.Equal(Capacity, volume.Capacity));
        Assert.All(seen, volume => Assert.Null(volume.Problem));
        Assert.True(seen.Single(volume => volume.Name == "full").Allocation >= Capacity);
        foreach (var name in new[] { "sparse", "full", "image", "directory", "directory" })
            await DoneAsync(new DeleteVolume(null, Name, name));
        Assert.DoesNotContain(await RefreshAsync(), volume => volume.Name != "lost+found");
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task Many_volumes_are_removed_by_one_command_or_none_of_them(string kind)
    {
        await StartAsync(kind);
        await DoneAsync(new CreateVolume(null, Name, Volume("sparse", "raw") with { Allocation = 0 }));
        await DoneAsync(new CreateVolume(null, Name, Volume("base", "qcow2")));
        await DoneAsync(new CreateVolume(null, Name, Volume("overlay", "qcow2") with { BackingStore = new BackingStore($"{pool.Target}/base", "qcow2") }));
        await DoneAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = "directory", Format = "dir", Capacity = 0 }));
        await DoneAsync(new CreateVolume(null, Name, Volume("kept", "raw") with { Allocation = 0 }));
        host.Shell($"touch {pool.Target}/directory/file");
        string[] all = ["base", "sparse", "directory", "overlay"];
        foreach (var (names, code, field) in new[]
        {
            (["sparse", "gone"], ErrorCodes.VolumeNotFound, "volumes[1]"),
            (all, ErrorCodes.InvalidState, "volumes[2]"),
        })
        {
            var error = await ErrorAsync(new DeleteVolumes(null, Name, names));
            Assert.Equal((code, field), (error.Code, error.Field));
        }
        Assert.Equal(["base", "directory", "kept", "overlay", "sparse"], host.Names(pool.Target).Except(["lost+found"]));
        host.Shell($"rm {pool.Target}/directory/file");
        var told = Told<VolumeDeleted>(await DoneAsync(new DeleteVolumes(null, Name, all))).Select(volume => volume.Name).ToList();
        Assert.Equal(all.Order(), told.Order());
        Assert.True(told.IndexOf("overlay") < told.IndexOf("base"), string.Join(' ', told));
        Assert.Equal(["kept"], (await RefreshAsync()).Select(volume => volume.Name).Except(["lost+found"]));
    }

    /// <summary>As <see cref="An_operation_whose_worker_is_killed_has_one_outcome_and_leaves_nothing_else"/>, where nothing can be made good.</summary>
    [Theory]
    [MemberData(nameof(DeletionCrashPoints))]
    public async Task A_deletion_of_many_whose_worker_is_killed_is_carried_to_its_end(string kind, string step)
    {
        this.kind = kind;
        var agent = await PoolKinds.All[kind].AgentHostAsync();
        host = agent;
        pool = PoolKinds.All[kind].Create(host);
        await DoneAsync(new BuildPool(null, Name));
        await DoneAsync(new StartPool(null, Name));
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"v{i:00}")];
        await DoneAsync(new CreateVolumes(null, Name, [.. names.Append("kept").Select(name => Volume(name, "raw") with { Allocation = 0 })]));
        var end = await agent.RunKilledAtAsync(step, pool.Definition, new DeleteVolumes(null, Name, names));
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        Assert.Single(Outcomes(end.CommandId!.Value));
        Assert.Equal(names, Told<VolumeDeleted>(end).Select(volume => volume.Name).Order());
        Assert.Equal(["kept"], host.Names(pool.Target).Except(["lost+found"]));
        await DoneAsync(new StopPool(null, Name));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task What_is_in_a_volume_is_copied_kept_when_it_grows_and_overwritten(string kind)
    {
        await StartAsync(kind);
        await DoneAsync(new CreateVolume(null, Name, Volume("one", "raw") with { Allocation = 0 }));
        host.Shell($"head -c 100000 /dev/urandom | dd of={pool.Target}/one conv=notrunc,fsync status=none");
        await DoneAsync(new CloneVolume(null, Name, Volume("two", "raw"), "one"));
        await DoneAsync(new CloneVolume(null, Name, Volume("image", "qcow2"), "one"));
        host.Shell($"cmp {pool.Target}/one {pool.Target}/two; qemu-img compare -q -f raw -F qcow2 {pool.Target}/one {pool.Target}/image");
        await DoneAsync(new ResizeVolume(null, Name, "two", Capacity, Delta: true));
        await DoneAsync(new ResizeVolume(null, Name, "image", Capacity, Delta: true));
        host.Shell($"cmp -n {Capacity} {pool.Target}/one {pool.Target}/two");
        Assert.All((await RefreshAsync()).Where(volume => volume.Name is "two" or "image"), volume => Assert.Equal(2 * Capacity, volume.Capacity));
        await DoneAsync(new WipeVolume(null, Name, "one"));
        host.Shell($"cmp -n {Capacity} {pool.Target}/one /dev/zero");
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task What_is_in_a_volume_is_the_same_in_a_directory_of_its_host_and_back_again(string kind)
    {
        await StartAsync(kind);
        using var directory = new DirectoryPool(host);
        await DoneAsync(new BuildPool(null, Name), directory);
        await DoneAsync(new CreateVolume(null, Name, Volume("one", "raw") with { Allocation = 0 }));
        host.Shell($"head -c 100000 /dev/urandom | dd of={pool.Target}/one conv=notrunc,fsync status=none");
        await DoneAsync(new CloneVolume(null, Name, Volume("copy", "raw"), "one", SourcePool: Name), directory, source: pool);
        await DoneAsync(new CloneVolume(null, Name, Volume("image", "qcow2"), "one", SourcePool: Name), directory, source: pool);
        host.Shell($"cmp {pool.Target}/one {directory.Target}/copy");
        await DoneAsync(new CloneVolume(null, Name, Volume("back", "raw"), "copy", SourcePool: Name), pool, source: directory);
        await DoneAsync(new CloneVolume(null, Name, Volume("back-from-image", "raw"), "image", SourcePool: Name), pool, source: directory);
        host.Shell($"cmp {pool.Target}/one {pool.Target}/back; cmp {pool.Target}/one {pool.Target}/back-from-image");
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task Its_figures_are_those_of_the_file_system(string kind)
    {
        await StartAsync(kind);
        var end = await DoneAsync(new RefreshPool(null, Name));
        var seen = Told<PoolRefreshed>(end).Single().Observation;
        var (total, available) = host.FileSystem(pool.Target);
        Assert.Equal(PoolState.Running, seen.State);
        Assert.Equal(total, seen.Capacity);
        Assert.InRange(seen.Available, available - Capacity, available + Capacity);
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_volume_that_is_there_is_not_made_again_and_a_failure_leaves_nothing(string kind)
    {
        await StartAsync(kind);
        await DoneAsync(new CreateVolume(null, Name, Volume("one", "raw") with { Allocation = 0 }));
        Assert.Equal(ErrorCodes.VolumeExists, await FailedAsync(new CreateVolume(null, Name, Volume("one", "raw"))));
        if (pool.Room is { } room)
            Assert.Equal(ErrorCodes.NoSpace, await FailedAsync(new CreateVolume(null, Name, Volume("huge", "raw") with { Capacity = room, Allocation = room })));
        // What is removed while the kernel still writes it out to an NFS server has another name until that has ended.
        host.Shell($"for i in $(seq 100); do ls -A {pool.Target} | grep -q '^[.]nfs' || break; sleep 0.1; done");
        Assert.Equal(["one"], host.Names(pool.Target).Except(["lost+found"]));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_pool_that_was_not_built_does_not_start(string kind)
    {
        await UseAsync(kind);
        Assert.Equal(ErrorCodes.HostFailure, await FailedAsync(new StartPool(null, Name)));
        Assert.Equal(ErrorCodes.HostFailure, await FailedAsync(new RefreshPool(null, Name)));
        Assert.False(host.Exists(pool.Target));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_pool_that_is_started_or_holds_volumes_is_not_deleted(string kind)
    {
        await StartAsync(kind);
        await DoneAsync(new CreateVolume(null, Name, Volume("one", "raw") with { Allocation = 0 }));
        Assert.Equal(ErrorCodes.InvalidState, await FailedAsync(new DeletePool(null, Name)));
        Assert.True(host.Exists($"{pool.Target}/one"));
        Assert.Equal(pool.Mounts, host.IsMounted(pool.Target));
    }

    [Theory]
    [MemberData(nameof(MountedPools))]
    public async Task A_pool_that_is_in_use_does_not_stop_and_says_by_whom(string kind)
    {
        await StartAsync(kind);
        var process = host.Open($"{pool.Target}/open");
        try
        {
            var error = await ErrorAsync(new StopPool(null, Name));
            Assert.Equal(ErrorCodes.InvalidState, error.Code);
            Assert.Contains($"({process})", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            host.Kill(process);
        }
        await DoneAsync(new StopPool(null, Name));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task An_operation_that_is_delivered_again_has_one_effect_and_one_outcome(string kind)
    {
        await StartAsync(kind);
        var (id, create) = (Guid.NewGuid(), new CreateVolume(null, Name, Volume("one", "qcow2")));
        await Task.WhenAll(host.DeliverAsync(id, pool.Definition, create), host.DeliverAsync(id, pool.Definition, create));
        Assert.Equal(nameof(OperationSucceeded), (await host.EndOfAsync(id)).Type);
        var made = host.Shell($"stat -c '%i %z' {pool.Target}/one");
        await host.DeliverAsync(id, pool.Definition, create);
        // Taken after it.
        Assert.Equal(ErrorCodes.VolumeExists, await FailedAsync(create));
        Assert.Single(Outcomes(id));
        Assert.Equal(made, host.Shell($"stat -c '%i %z' {pool.Target}/one"));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_creation_that_is_cancelled_leaves_nothing(string kind)
    {
        await StartAsync(kind);
        await DoneAsync(new CreateVolume(null, Name, Volume("source", "raw")));
        for (var cancelled = 0; cancelled < 3;)
        {
            var id = Guid.NewGuid();
            await host.DeliverAsync(id, pool.Definition, new CloneVolume(null, Name, Volume("copy", "qcow2"), "source"));
            await host.CancelAsync(id);
            if ((await host.EndOfAsync(id)).Type == nameof(OperationCancelled))
                cancelled++;
            else
                await DoneAsync(new DeleteVolume(null, Name, "copy"));
            Assert.Equal(["source"], host.Names(pool.Target).Except(["lost+found"]));
        }
    }

    /// <summary>The worker is a process of its own, which ends itself with SIGKILL at the step.</summary>
    [Theory]
    [MemberData(nameof(CrashPoints))]
    public async Task An_operation_whose_worker_is_killed_has_one_outcome_and_leaves_nothing_else(string kind, string step)
    {
        this.kind = kind;
        var agent = await PoolKinds.All[kind].AgentHostAsync();
        host = agent;
        pool = PoolKinds.All[kind].Create(host);
        await DoneAsync(new BuildPool(null, Name));
        await DoneAsync(new StartPool(null, Name));
        await DoneAsync(new CreateVolume(null, Name, Volume("source", "raw")));
        var end = await agent.RunKilledAtAsync(step, pool.Definition, new CloneVolume(null, Name, Volume("copy", "qcow2"), "source"));
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        Assert.Single(Outcomes(end.CommandId!.Value));
        Assert.Equal(["copy", "source"], host.Names(pool.Target).Except(["lost+found"]));
        var seen = Assert.Single(await RefreshAsync(), volume => volume.Name == "copy");
        Assert.Equal(("qcow2", Capacity, null), (seen.Format, seen.Capacity, seen.Problem));
        await DoneAsync(new StopPool(null, Name));
    }

    public async ValueTask DisposeAsync()
    {
        if (kind is not null)
            ConformanceTable.Add(kind, TestContext.Current.TestState!.Result);
        pool?.Dispose();
        if (host is not null)
            await host.DisposeAsync();
    }

    private const long Capacity = 4 << 20;

    private static VolumeDefinition Volume(string name, string format) => new() { Name = name, Format = format, Capacity = Capacity };

    private async Task UseAsync(string kind)
    {
        this.kind = kind;
        host = await PoolKinds.All[kind].HostAsync();
        pool = PoolKinds.All[kind].Create(host);
    }

    private async Task StartAsync(string kind)
    {
        await UseAsync(kind);
        await DoneAsync(new BuildPool(null, Name));
        await DoneAsync(new StartPool(null, Name));
    }

    private Task<IReadOnlyList<VolumeDefinition>> RefreshAsync() => Driven.RefreshAsync();

    private IEnumerable<Guid> Outcomes(Guid id) => Driven.Outcomes(id);

    private IEnumerable<T> Told<T>(StorageEvent end) => Driven.Told<T>(end);

    private Task<StorageEvent> DoneAsync(ICommand command, PoolUnderTest? of = null, PoolUnderTest? source = null) => Driven.DoneAsync(command, of, source);

    private Task<StorageError> ErrorAsync(ICommand command) => Driven.ErrorAsync(command);

    private Task<string> FailedAsync(ICommand command) => Driven.FailedAsync(command);
}
