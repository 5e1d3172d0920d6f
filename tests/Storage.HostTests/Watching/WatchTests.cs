using System.Globalization;
using System.Text.Json;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>What others do in the directory of a started pool is told without being asked for.</summary>
public sealed class WatchTests : IAsyncDisposable
{
    private const string Queued = "/proc/sys/fs/inotify/max_queued_events";

    private readonly WatchedPools pools = new();

    public static TheoryData<string> Changes => ["create", "write", "rename in", "rename out", "delete", "chmod", "replace", "mkdir", "link"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_by_others_is_seen_as_it_is_afterwards(string change)
    {
        var pool = await pools.StartAsync("p", "there", "untouched");
        var (there, made) = (WatchedPools.In(pool, "there"), WatchedPools.In(pool, "made"));
        var beside = Path.Combine(pools.Beside, "f");
        await File.WriteAllTextAsync(beside, "content", Cancellation);
        switch (change)
        {
            case "create":
                await File.WriteAllTextAsync(made, "content", Cancellation);
                break;
            case "write":
                await File.WriteAllTextAsync(there, "content", Cancellation);
                break;
            case "rename in":
                File.Move(beside, made);
                break;
            case "rename out":
                File.Move(there, beside, overwrite: true);
                break;
            case "delete":
                File.Delete(there);
                break;
            case "chmod":
                File.SetUnixFileMode(there, UnixFileMode.UserRead);
                break;
            case "replace":
                File.Move(beside, there, overwrite: true);
                break;
            case "mkdir":
                Directory.CreateDirectory(made);
                break;
            case "link":
                File.CreateSymbolicLink(made, "there");
                break;
        }
        var seen = await pools.FirstAsync<VolumesSeen>(pool);
        if (change is "delete" or "rename out")
        {
            Assert.Equal((0, "there"), (seen.Volumes.Count, Assert.Single(seen.Gone)));
            return;
        }
        var volume = Assert.Single(seen.Volumes);
        Assert.Empty(seen.Gone);
        Assert.Equal(change is "create" or "rename in" or "mkdir" or "link" ? "made" : "there", volume.Name);
        Assert.Equal(change switch { "mkdir" => 0, "chmod" or "link" => 3, _ => 7 }, volume.Capacity);
        Assert.Equal(change == "chmod", volume.Permissions!.Mode == 0x100);
        Assert.All(pools.Told<VolumesSeen>(pool), told => Assert.Equal((EventCause.External, null), (told.Cause, told.CommandId)));
    }

    [Fact]
    public async Task A_pool_says_whether_it_is_watched()
    {
        var pool = await pools.StartAsync("p");
        Assert.True((await pools.FirstAsync<PoolStarted>(pool)).Observation.Watched);
    }

    [Fact]
    public async Task What_our_own_commands_do_is_told_by_them_first_and_not_otherwise_by_the_watch()
    {
        var pool = await pools.StartAsync("p");
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            pools.DoneAsync(pool, new CreateVolume(null, "p", new VolumeDefinition { Name = $"v{i}", Capacity = 4096, Allocation = i % 2 * 4096L }))));
        await pools.DoneAsync(pool, new CreateVolumes(null, "p", [.. Enumerable.Range(0, 50).Select(i => new VolumeDefinition { Name = $"m{i}", Capacity = 1 << 20, Allocation = 0 })]));
        await pools.DoneAsync(pool, new ResizeVolume(null, "p", "v0", 8192));
        await pools.DoneAsync(pool, new WipeVolume(null, "p", "v1"));
        await pools.DoneAsync(pool, new DeleteVolume(null, "p", "v2"));
        await pools.SettledAsync();
        var known = new Dictionary<string, VolumeDefinition>();
        foreach (var told in pools.Worker.Events.Where(told => Resources.PoolOf(told.Resource) == pool.Uuid).OrderBy(told => told.Revision))
        {
            if (told.Type == nameof(VolumeDeleted))
                known.Remove("v2");
            else if (told.Type is nameof(VolumeCreated) or nameof(VolumeResized) or nameof(VolumeWiped))
                Know(told.Data.GetProperty("volume").Deserialize<VolumeDefinition>(StorageJson.Options)!);
            else if (told.Type == nameof(VolumesSeen))
                Compare(told.Data.Deserialize<VolumesSeen>(StorageJson.Options)!);
        }
        Assert.Equal(89, known.Count);

        void Know(VolumeDefinition volume) => known[volume.Name] = Comparable(volume);

        void Compare(VolumesSeen seen)
        {
            Assert.All(seen.Volumes, volume => Assert.Equal(StorageJson.ToElement(known[volume.Name]).GetRawText(), StorageJson.ToElement(Comparable(volume)).GetRawText()));
            Assert.All(seen.Gone, name => Assert.DoesNotContain(name, known.Keys));
        }

        static VolumeDefinition Comparable(VolumeDefinition volume) => volume with { Timestamps = volume.Timestamps! with { Access = null } };
    }

    [Fact]
    public async Task A_file_that_changes_all_the_time_is_told_every_ten_seconds_and_in_its_last_state()
    {
        var pool = await pools.StartAsync("p", "busy");
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 200; j++)
                await File.AppendAllTextAsync(WatchedPools.In(pool, "busy"), "x", Cancellation);
            await pools.SettledAsync();
        }
        await pools.FirstAsync<VolumesSeen>(pool, seen => seen.Volumes.Any(volume => volume.Capacity == 603));
        // Revisions are microseconds, taken as a look begins.
        var looks = pools.Told<VolumesSeen>(pool).Select(told => told.Revision).ToList();
        Assert.All(looks.Zip(looks.Skip(1)), pair => Assert.True(pair.Second - pair.First > 8_000_000));
        Assert.InRange(looks.Count, 2, 9);
    }

    [Fact]
    public async Task A_flood_of_names_becomes_one_refresh()
    {
        var pool = await pools.StartAsync("p");
        Parallel.For(0, 6000, i => File.WriteAllText(WatchedPools.In(pool, $"{i}"), ""));
        await pools.FirstAsync<PoolRefreshWanted>(pool);
        await pools.SettledAsync();
        Assert.Single(pools.Told<PoolRefreshWanted>(pool));
    }

    [Fact]
    public async Task An_overflow_of_the_kernels_queue_becomes_a_refresh()
    {
        Requires.Root();
        var before = await File.ReadAllTextAsync(Queued, Cancellation);
        PoolDefinition pool;
        try
        {
            // What is opened while it is so low stays so.
            await File.WriteAllTextAsync(Queued, "2", Cancellation);
            pool = await pools.StartAsync("p");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Requires.Missing($"{Queued} cannot be written");
        }
        finally
        {
            await File.WriteAllTextAsync(Queued, before, CancellationToken.None);
        }
        using var told = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var noise = Task.Run(() =>
        {
            // Few names: only the kernel can have had too many.
            for (var i = 0; !told.IsCancellationRequested; i++)
                File.WriteAllText(WatchedPools.In(pool, $"{i % 20}"), "");
        }, Cancellation);
        try
        {
            await pools.FirstAsync<PoolRefreshWanted>(pool);
        }
        finally
        {
            await told.CancelAsync();
            await noise;
        }
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("moved")]
    public async Task A_directory_that_is_gone_makes_its_pool_inaccessible(string how)
    {
        var pool = await pools.StartAsync("p", "a");
        if (how == "removed")
            Directory.Delete(pool.Target.Path!, recursive: true);
        else
            Directory.Move(pool.Target.Path!, Path.Combine(pools.Beside, "moved"));
        Assert.Equal(PoolState.Inaccessible, (await pools.FirstAsync<PoolStateChanged>(pool)).State);
        Directory.CreateDirectory(pool.Target.Path!);
        await pools.DoneAsync(pool, new RefreshPool(null, "p"));
        await File.WriteAllTextAsync(WatchedPools.In(pool, "new"), "", Cancellation);
        await pools.FirstAsync<VolumesSeen>(pool, seen => seen.Volumes.Any(volume => volume.Name == "new"));
    }

    [Fact]
    public async Task A_directory_that_is_exchanged_for_another_one_is_to_be_refreshed()
    {
        var pool = await pools.StartAsync("p", "a");
        Directory.Move(pool.Target.Path!, Path.Combine(pools.Beside, "old"));
        Directory.CreateDirectory(pool.Target.Path!);
        await pools.FirstAsync<PoolRefreshWanted>(pool);
        Assert.Empty(pools.Told<PoolStateChanged>(pool));
    }

    [Fact]
    public async Task A_pool_that_was_stopped_is_not_watched()
    {
        var pool = await pools.StartAsync("p");
        await pools.DoneAsync(pool, new StopPool(null, "p"));
        await File.WriteAllTextAsync(WatchedPools.In(pool, "late"), "", Cancellation);
        Directory.Delete(pool.Target.Path!, recursive: true);
        await pools.SettledAsync();
        Assert.Empty(pools.Told<VolumesSeen>(pool).Concat(pools.Told<PoolStateChanged>(pool)));
    }

    [Fact]
    public async Task Starting_and_stopping_leaves_no_descriptor_and_no_watch()
    {
        var pool = await pools.StartAsync("p");
        for (var i = 0; i < 30; i++)
        {
            await pools.DoneAsync(pool, new RefreshPool(null, "p"));
            await pools.DoneAsync(pool, new StopPool(null, "p"));
            await pools.DoneAsync(pool, new StartPool(null, "p"));
        }
        Assert.Equal((1, 0), (Watches(pool), Descriptors(pool)));
        await pools.DoneAsync(pool, new StopPool(null, "p"));
        Assert.Equal((0, 0), (Watches(pool), Descriptors(pool)));
    }

    public ValueTask DisposeAsync() => pools.DisposeAsync();

    /// <summary>How often this process has the pool's directory open.</summary>
    private static int Descriptors(PoolDefinition pool) => Directory.GetFileSystemEntries("/proc/self/fd")
        .Count(link => new FileInfo(link).LinkTarget == pool.Target.Path);

    /// <summary>How often this process watches the pool's directory.</summary>
    private static int Watches(PoolDefinition pool)
    {
        var inode = ulong.Parse(HostProgram.Run("stat", "-c", "%i", pool.Target.Path!).Trim(), CultureInfo.InvariantCulture);
        return Directory.GetFiles("/proc/self/fdinfo").SelectMany(Lines).Count(line =>
            line.StartsWith("inotify wd:", StringComparison.Ordinal) && line.Contains($" ino:{inode:x} ", StringComparison.Ordinal));

        static string[] Lines(string file)
        {
            try
            {
                return File.ReadAllLines(file);
            }
            catch (IOException)
            {
                return [];
            }
        }
    }
}
