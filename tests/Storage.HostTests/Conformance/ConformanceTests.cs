using System.Text.Json;
using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>What every pool can and must do, driven as its worker is driven, on real storage.</summary>
public sealed class ConformanceTests : IAsyncDisposable
{
    private readonly WorkerOnHost worker = WorkerOnHost.OfFileFamily();
    private PoolUnderTest pool = null!;

    public static TheoryData<string> Pools => [.. PoolUnderTest.All.Keys];

    /// <summary>A directory that is not mounted has nothing to stop.</summary>
    public static TheoryData<string> MountedPools => [.. PoolUnderTest.All.Keys.Where(kind => kind != "dir")];

    private string Name => pool.Definition.Name!;

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_pool_lives_from_build_to_delete_and_what_is_done_again_succeeds(string kind)
    {
        await UseAsync(kind);
        for (var i = 0; i < 2; i++)
            await DoneAsync(new BuildPool(null, Name));
        for (var i = 0; i < 2; i++)
            await DoneAsync(new StartPool(null, Name));
        Assert.Equal(pool.Mounts, MountTable.At(MountTable.Resolve(pool.Target)) is not null);
        await DoneAsync(new CreateVolume(null, Name, Volume("kept", "raw")));
        for (var i = 0; i < 2; i++)
            await DoneAsync(new StopPool(null, Name));
        Assert.Equal(!pool.Mounts, File.Exists(Path.Combine(pool.Target, "kept")));
        await DoneAsync(new StartPool(null, Name));
        Assert.True(File.Exists(Path.Combine(pool.Target, "kept")));
        await DoneAsync(new DeleteVolume(null, Name, "kept"));
        await DoneAsync(new StopPool(null, Name));
        for (var i = 0; i < 2; i++)
            await DoneAsync(new DeletePool(null, Name));
        Assert.False(Directory.Exists(pool.Target));
    }

    [Theory]
    [MemberData(nameof(Pools))]
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
    public async Task Its_figures_are_those_of_the_file_system(string kind)
    {
        await StartAsync(kind);
        await RefreshAsync();
        var seen = worker.Events.Last(told => told.Type == nameof(PoolRefreshed)).Data.Deserialize<PoolRefreshed>(StorageJson.Options)!.Observation;
        var drive = new DriveInfo(pool.Target);
        Assert.Equal(PoolState.Running, seen.State);
        Assert.Equal(drive.TotalSize, seen.Capacity);
        Assert.InRange(seen.Available, drive.AvailableFreeSpace - Capacity, drive.AvailableFreeSpace + Capacity);
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
        Assert.Equal(["one"], Directory.EnumerateFileSystemEntries(pool.Target).Select(Path.GetFileName).Except(["lost+found"]));
    }

    [Theory]
    [MemberData(nameof(Pools))]
    public async Task A_pool_that_was_not_built_does_not_start(string kind)
    {
        await UseAsync(kind);
        Assert.Equal(ErrorCodes.HostFailure, await FailedAsync(new StartPool(null, Name)));
        Assert.Equal(ErrorCodes.HostFailure, await FailedAsync(new RefreshPool(null, Name)));
    }

    [Theory]
    [MemberData(nameof(MountedPools))]
    public async Task A_pool_that_is_in_use_does_not_stop_and_says_by_whom(string kind)
    {
        await StartAsync(kind);
        await using (File.Create(Path.Combine(pool.Target, "open")))
        {
            var error = await ErrorAsync(new StopPool(null, Name));
            Assert.Equal(ErrorCodes.InvalidState, error.Code);
            Assert.Contains($"({Environment.ProcessId})", error.Message, StringComparison.Ordinal);
        }
        await DoneAsync(new StopPool(null, Name));
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        pool?.Dispose();
    }

    private const long Capacity = 4 << 20;

    private static VolumeDefinition Volume(string name, string format) => new() { Name = name, Format = format, Capacity = Capacity };

    private async Task UseAsync(string kind)
    {
        Requires.Tool("qemu-img");
        pool = PoolUnderTest.All[kind]();
        await worker.StartAsync();
    }

    private async Task StartAsync(string kind)
    {
        await UseAsync(kind);
        await DoneAsync(new BuildPool(null, Name));
        await DoneAsync(new StartPool(null, Name));
    }

    private async Task<IReadOnlyList<VolumeDefinition>> RefreshAsync()
    {
        var end = await DoneAsync(new RefreshPool(null, Name));
        return [.. worker.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved))
            .SelectMany(told => told.Data.Deserialize<VolumesObserved>(StorageJson.Options)!.Volumes)];
    }

    private async Task<StorageEvent> DoneAsync<T>(T command)
        where T : ICommand
    {
        var end = await worker.RunAsync(pool.Definition, command);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    private async Task<StorageError> ErrorAsync<T>(T command)
        where T : ICommand
    {
        var end = await worker.RunAsync(pool.Definition, command);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Data.Deserialize<OperationFailed>(StorageJson.Options)!.Error;
    }

    private async Task<string> FailedAsync<T>(T command)
        where T : ICommand => (await ErrorAsync(command)).Code;
}
