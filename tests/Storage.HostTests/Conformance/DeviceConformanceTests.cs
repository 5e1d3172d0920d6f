using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>What every pool of block devices can and must do, as <see cref="ConformanceTests"/>.</summary>
[Collection(Lab.Name)]
public sealed class DeviceConformanceTests : IAsyncDisposable
{
    private const long Capacity = 4 << 20;

    private string? kind;
    private HostUnderTest host = null!;
    private DevicesUnderTest pool = null!;

    public static IEnumerable<TheoryDataRow<string>> Pools => PoolKinds.Rows(kind => kind.Devices);

    /// <summary>As in <see cref="ConformanceTests.CrashPoints"/>, and where the volume is made and not filled. In the lab it is for <see cref="LogicalCrashTests"/>.</summary>
    public static IEnumerable<TheoryDataRow<string, string>> CrashPoints =>
        from pool in PoolKinds.All
        from step in new[] { "JournalCommitted#1", "JournalCommitted#2", "JournalCommitting#3", "ToolStarting#1", "ToolEnded#1", "ToolEnded#3" }
        where pool.Value.Devices && !pool.Value.MadeOtherwise && pool.Value.Place is not PoolPlace.Lab
        select PoolKinds.InPlace(new TheoryDataRow<string, string>(pool.Key, step), pool.Value);

    private string Name => pool.Definition.Name!;

    private DrivenPool Driven => new(host, pool);

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_pool_lives_from_build_to_delete_and_what_is_done_again_succeeds(string kind)
    {
        await UseAsync(kind);
        Assert.Contains(await Driven.FailedAsync(new StartPool(null, Name)), new[] { ErrorCodes.HostFailure, ErrorCodes.ProbeFailed });
        for (var i = 0; i < 2; i++)
            Assert.Single(Driven.Told<PoolBuilt>(await Driven.DoneAsync(new BuildPool(null, Name))));
        for (var i = 0; i < 2; i++)
            Assert.Equal(PoolState.Running, Assert.Single(Driven.Told<PoolStarted>(await Driven.DoneAsync(new StartPool(null, Name)))).Observation.State);
        await Driven.DoneAsync(Create(1));
        Assert.Equal(ErrorCodes.InvalidState, await Driven.FailedAsync(new DeletePool(null, Name)));
        for (var i = 0; i < 2; i++)
            Assert.Single(Driven.Told<PoolStopped>(await Driven.DoneAsync(new StopPool(null, Name))));
        Assert.Equal(!pool.Activates, host.Exists(pool.DeviceOf(1)));
        await Driven.DoneAsync(new StartPool(null, Name));
        Assert.True(host.Exists(pool.DeviceOf(1)));
        for (var i = 0; i < 2; i++)
            await Driven.DoneAsync(new DeleteVolume(null, Name, pool.NameOf(1)));
        await Driven.DoneAsync(new StopPool(null, Name));
        for (var i = 0; i < 2; i++)
            Assert.Single(Driven.Told<PoolDeleted>(await Driven.DoneAsync(new DeletePool(null, Name))));
        Assert.Equal("", host.Shell($"wipefs --noheadings {pool.Made}").Trim());
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_volume_has_the_size_that_was_asked_for_and_the_pool_so_much_less(string kind)
    {
        await StartAsync(kind);
        var before = await ObserveAsync();
        Assert.Equal((PoolState.Running, 0), (before.State, before.Volumes));
        Assert.Equal(before.Capacity, before.Allocation + before.Available);
        await Driven.DoneAsync(Create(1));
        await Driven.DoneAsync(Create(2, 2 * Capacity));
        var seen = await Driven.RefreshAsync();
        Assert.Equal([(pool.NameOf(1), Capacity), (pool.NameOf(2), 2 * Capacity)], seen.Select(volume => (volume.Name, volume.Capacity!.Value)));
        Assert.All(seen, volume => Assert.Equal((VolumeKind.Block, null), (volume.Type, volume.Problem)));
        Assert.Equal($"{Capacity}\n{2 * Capacity}", host.Shell($"blockdev --getsize64 {pool.DeviceOf(1)} {pool.DeviceOf(2)}").Trim());
        Assert.Equal(before.Available - 3 * Capacity, (await ObserveAsync()).Available);
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task What_is_in_a_volume_is_copied_kept_when_it_grows_and_overwritten(string kind)
    {
        await FilledAsync(kind);
        await Driven.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = pool.NameOf(2) }, pool.NameOf(1)));
        host.Shell($"cmp {pool.DeviceOf(1)} {pool.DeviceOf(2)}");
        await Driven.DoneAsync(new ResizeVolume(null, Name, pool.NameOf(2), Capacity, Delta: true));
        host.Shell($"cmp -n {Capacity} {pool.DeviceOf(1)} {pool.DeviceOf(2)}");
        Assert.Equal(2 * Capacity, (await Driven.RefreshAsync()).Single(volume => volume.Name == pool.NameOf(2)).Capacity);
        await Driven.DoneAsync(new WipeVolume(null, Name, pool.NameOf(1)));
        host.Shell($"cmp -n {Capacity} {pool.DeviceOf(1)} /dev/zero");
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task What_is_in_a_volume_is_the_same_in_a_directory_of_its_host_and_back_again(string kind)
    {
        await FilledAsync(kind);
        using var directory = new DirectoryPool(host);
        await Driven.DoneAsync(new BuildPool(null, Name), directory);
        var seen = Assert.Single(await Driven.RefreshAsync());
        foreach (var (name, format) in new[] { ("copy", "raw"), ("image", "qcow2") })
            await Driven.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = name, Format = format }, seen.Name, SourcePool: Name), directory, pool, seen);
        host.Shell($"cmp {pool.DeviceOf(1)} {directory.Target}/copy");
        await Driven.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = pool.NameOf(2) }, "copy", SourcePool: Name), source: directory);
        await Driven.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = pool.NameOf(3) }, "image", SourcePool: Name), source: directory);
        host.Shell($"cmp {pool.DeviceOf(1)} {pool.DeviceOf(2)}; cmp {pool.DeviceOf(1)} {pool.DeviceOf(3)}");
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_volume_that_is_there_is_not_made_again_and_a_failure_leaves_nothing(string kind)
    {
        await StartAsync(kind);
        await Driven.DoneAsync(Create(1));
        Assert.Equal(ErrorCodes.VolumeExists, await Driven.FailedAsync(Create(1)));
        Assert.Equal(ErrorCodes.NoSpace, await Driven.FailedAsync(Create(2, pool.Room!.Value)));
        Assert.Equal(ErrorCodes.VolumeNotFound, await Driven.FailedAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = pool.NameOf(2) }, pool.NameOf(3))));
        Assert.Equal(ErrorCodes.VolumeNotFound, await Driven.FailedAsync(new ResizeVolume(null, Name, pool.NameOf(2), Capacity)));
        Assert.Equal(ErrorCodes.VolumeNotFound, await Driven.FailedAsync(new WipeVolume(null, Name, pool.NameOf(2))));
        Assert.Equal([pool.NameOf(1)], (await Driven.RefreshAsync()).Select(volume => volume.Name));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task Many_volumes_are_removed_by_one_command_or_none_of_them(string kind)
    {
        await StartAsync(kind);
        for (var number = 1; number <= 3; number++)
            await Driven.DoneAsync(Create(number));
        string[] all = [pool.NameOf(1), pool.NameOf(2), pool.NameOf(3)];
        Assert.Equal(ErrorCodes.VolumeNotFound, await Driven.FailedAsync(new DeleteVolumes(null, Name, [.. all, pool.NameOf(4)])));
        var process = host.Open(pool.DeviceOf(2));
        try
        {
            var error = await Driven.ErrorAsync(new DeleteVolumes(null, Name, all));
            Assert.Equal((ErrorCodes.InUse, "volumes[1]"), (error.Code, error.Field));
        }
        finally
        {
            host.Kill(process);
        }
        Assert.Equal(all, (await Driven.RefreshAsync()).Select(volume => volume.Name));
        var end = await Driven.DoneAsync(new DeleteVolumes(null, Name, all));
        Assert.Equal(all, Driven.Told<VolumeDeleted>(end).Select(volume => volume.Name).Order());
        Assert.Empty(await Driven.RefreshAsync());
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_volume_that_is_in_use_stays_and_it_is_said_by_whom(string kind)
    {
        await StartAsync(kind);
        await Driven.DoneAsync(Create(1));
        var process = host.Open(pool.DeviceOf(1));
        try
        {
            foreach (var command in new ICommand[] { new DeleteVolume(null, Name, pool.NameOf(1)), new WipeVolume(null, Name, pool.NameOf(1)), new ResizeVolume(null, Name, pool.NameOf(1), 1 << 20, Shrink: true) })
            {
                var error = await Driven.ErrorAsync(command);
                Assert.Equal(ErrorCodes.InUse, error.Code);
                Assert.Contains($"({process})", error.Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            host.Kill(process);
        }
        await Driven.DoneAsync(new DeleteVolume(null, Name, pool.NameOf(1)));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task An_operation_that_is_delivered_again_has_one_effect_and_one_outcome(string kind)
    {
        await StartAsync(kind);
        var (id, create) = (Guid.NewGuid(), Create(1));
        await Task.WhenAll(host.DeliverAsync(id, pool.Definition, create), host.DeliverAsync(id, pool.Definition, create));
        Assert.Equal(nameof(OperationSucceeded), (await host.EndOfAsync(id)).Type);
        host.Shell($"echo written | dd of={pool.DeviceOf(1)} conv=fsync status=none");
        await host.DeliverAsync(id, pool.Definition, create);
        // Taken after it.
        Assert.Equal(ErrorCodes.VolumeExists, await Driven.FailedAsync(create));
        Assert.Single(Driven.Outcomes(id));
        Assert.Equal("written", host.Shell($"head -c 7 {pool.DeviceOf(1)}"));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_creation_that_is_cancelled_leaves_nothing(string kind)
    {
        await StartAsync(kind);
        await Driven.DoneAsync(Create(1));
        for (var cancelled = 0; cancelled < 2;)
        {
            var id = Guid.NewGuid();
            await host.DeliverAsync(id, pool.Definition, new CloneVolume(null, Name, new VolumeDefinition { Name = pool.NameOf(2) }, pool.NameOf(1)));
            await host.CancelAsync(id);
            if ((await host.EndOfAsync(id)).Type == nameof(OperationCancelled))
                cancelled++;
            else
                await Driven.DoneAsync(new DeleteVolume(null, Name, pool.NameOf(2)));
            Assert.Equal([pool.NameOf(1)], (await Driven.RefreshAsync()).Select(volume => volume.Name));
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
        pool = (DevicesUnderTest)PoolKinds.All[kind].Create(host);
        await Driven.DoneAsync(new BuildPool(null, Name));
        await Driven.DoneAsync(new StartPool(null, Name));
        await Driven.DoneAsync(Create(1));
        host.Shell($"head -c {Capacity} /dev/urandom | dd of={pool.DeviceOf(1)} bs=1M conv=fsync status=none");
        var end = await agent.RunKilledAtAsync(step, pool.Definition, new CloneVolume(null, Name, new VolumeDefinition { Name = pool.NameOf(2) }, pool.NameOf(1)));
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        Assert.Single(Driven.Outcomes(end.CommandId!.Value));
        host.Shell($"cmp {pool.DeviceOf(1)} {pool.DeviceOf(2)}");
        Assert.Equal([(pool.NameOf(1), null), (pool.NameOf(2), null)], (await Driven.RefreshAsync()).Select(volume => (volume.Name, volume.Problem)));
        await Driven.DoneAsync(new StopPool(null, Name));
    }

    public async ValueTask DisposeAsync()
    {
        if (kind is not null)
            ConformanceTable.Add(kind, TestContext.Current.TestState!.Result);
        pool?.Dispose();
        if (host is not null)
            await host.DisposeAsync();
    }

    private CreateVolume Create(int number, long capacity = Capacity) => new(null, Name, new VolumeDefinition { Name = pool.NameOf(number), Capacity = capacity });

    private async Task<PoolObservation> ObserveAsync() => Driven.Told<PoolRefreshed>(await Driven.DoneAsync(new RefreshPool(null, Name))).Single().Observation;

    private async Task UseAsync(string kind)
    {
        this.kind = kind;
        host = await PoolKinds.All[kind].HostAsync();
        pool = (DevicesUnderTest)PoolKinds.All[kind].Create(host);
    }

    private async Task StartAsync(string kind)
    {
        await UseAsync(kind);
        await Driven.DoneAsync(new BuildPool(null, Name));
        await Driven.DoneAsync(new StartPool(null, Name));
    }

    /// <summary>With one volume that is full of what nobody foresees.</summary>
    private async Task FilledAsync(string kind)
    {
        await StartAsync(kind);
        await Driven.DoneAsync(Create(1));
        host.Shell($"head -c {Capacity} /dev/urandom | dd of={pool.DeviceOf(1)} bs=1M conv=fsync status=none");
    }
}
