using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

public sealed class DirPoolTests : IDisposable
{
    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("qcow2")]
    [InlineData("qcow")]
    [InlineData("qed")]
    [InlineData("vdi")]
    [InlineData("vmdk")]
    [InlineData("vpc")]
    public async Task An_image_of_a_format_is_made_and_read_as_the_hosts_tool_reads_it(string format)
    {
        Requires.Tool("qemu-img");
        await BuildAsync();
        var made = await host.CreateAsync(new VolumeDefinition { Name = "v", Format = format, Capacity = 64 << 20, Allocation = 0 }, Cancellation);
        var info = await host.InfoAsync("v", Cancellation);
        Assert.Equal((info.GetProperty("format").GetString(), info.GetProperty("virtual-size").GetInt64()), (made.Format, made.Capacity!.Value));
        Assert.Equal(info.GetProperty("actual-size").GetInt64(), made.Allocation);
        Assert.Null(made.Problem);
        Assert.Equal(["v"], Directory.EnumerateFileSystemEntries(host.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_qcow2_with_every_option_is_read_as_it_was_asked_for()
    {
        Requires.Tool("qemu-img");
        await BuildAsync();
        await host.CreateAsync(new VolumeDefinition { Name = "base", Format = "raw", Capacity = 1 << 20 }, Cancellation);
        var made = await host.CreateAsync(
            new VolumeDefinition
            {
                Name = "top",
                Format = "qcow2",
                Capacity = 2 << 20,
                Allocation = 0,
                Compat = "1.1",
                ClusterSize = 131072,
                Features = ["lazy_refcounts", "extended_l2"],
                BackingStore = new BackingStore($"{host.Path}/base"),
                Permissions = new Permissions(0x1A0),
            },
            Cancellation);
        Assert.Equal(("1.1", 131072L, $"{host.Path}/base", "raw", 0x1A0),
            (made.Compat, made.ClusterSize, made.BackingStore!.Path, made.BackingStore.Format, made.Permissions!.Mode));
        Assert.Equal(["extended_l2", "lazy_refcounts"], made.Features!.Order());
        var info = await host.InfoAsync("top", Cancellation);
        Assert.Equal("raw", info.GetProperty("backing-filename-format").GetString());
    }

    [Fact]
    public async Task A_new_image_takes_its_capacity_from_its_backing_store_and_opens_nothing_behind_it()
    {
        await BuildAsync();
        await host.Tools.RunAsync(
            new Storage.Worker.HostCommand(
                Requires.Tool("qemu-img"), "create", "-f", "qcow2", "-u", "-b", "/nowhere/at-all", "-F", "raw", $"{host.Path}/base", "3M"),
            Cancellation);
        var made = await host.CreateAsync(new VolumeDefinition { Name = "top", Format = "qcow2", BackingStore = new BackingStore("base", "qcow2") }, Cancellation);
        Assert.Equal((3L << 20, "base", "qcow2"), (made.Capacity, made.BackingStore!.Path, made.BackingStore.Format));
        // What is said to be raw is as long as its file, whatever it looks like; an image has whole KiB.
        var raw = await host.CreateAsync(new VolumeDefinition { Name = "raw", Format = "qcow2", BackingStore = new BackingStore("base", "raw") }, Cancellation);
        Assert.InRange(raw.Capacity!.Value - new FileInfo($"{host.Path}/base").Length, 0, 1023);
        var lie = new VolumeDefinition { Name = "lie", Format = "qcow2", BackingStore = new BackingStore("base", "vmdk") };
        Assert.Equal(ErrorCodes.InvalidDefinition, (await RefusedAsync(lie)).Code);
        Assert.Equal(["base", "raw", "top"], host.Names);
    }

    [Fact]
    public async Task Every_format_that_is_announced_can_be_made_and_no_other()
    {
        Requires.Tool("qemu-img");
        await BuildAsync();
        var support = await host.Backend.ProbeAsync(Cancellation);
        Assert.Equal(PoolTypes.Of(PoolType.Dir).VolumeFormats, support.VolumeFormats.Select(row => row.Format));
        foreach (var row in support.VolumeFormats)
        {
            var volume = new VolumeDefinition { Name = row.Format, Format = row.Format, Capacity = 1 << 20, Allocation = 0 };
            if (row.Available)
                await host.Volumes.CreateVolumeAsync(host.Pool, volume, DirPoolHost.NewRun(), Cancellation);
            else
                Assert.Equal((ErrorCodes.Unavailable, true), ((await RefusedAsync(volume)).Code, row.Reason is not null));
        }
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such_and_leaves_nothing()
    {
        Requires.Root();
        await BuildAsync();
        await host.Tools.RunAsync(new Storage.Worker.HostCommand(Requires.Tool("mount"), "-t", "tmpfs", "-o", "size=4m", "tmpfs", host.Path), Cancellation);
        try
        {
            Assert.Equal(ErrorCodes.NoSpace, (await RefusedAsync(new VolumeDefinition { Name = "big", Format = "raw", Capacity = 64 << 20, Allocation = 64 << 20 })).Code);
            Assert.Empty(Directory.EnumerateFileSystemEntries(host.Path));
        }
        finally
        {
            await host.Tools.RunAsync(new Storage.Worker.HostCommand(Requires.Tool("umount"), host.Path), CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_directory_is_built_with_its_parents_mode_and_owner_and_removed_when_empty()
    {
        Requires.Root();
        var pool = host.Defined("a/b/c") with { Target = new PoolTarget { Path = $"{Path.GetDirectoryName(host.Path)}/a/b/c", Permissions = new Permissions(0x1E8, 1234, 4321) } };
        Assert.Equal(PoolState.Inactive, await host.Backend.CheckAsync(pool, Cancellation));
        await host.Backend.BuildAsync(pool, overwrite: false, DirPoolHost.NewRun(), Cancellation);
        await host.Backend.BuildAsync(pool, overwrite: false, DirPoolHost.NewRun(), Cancellation);
        Assert.Equal(PoolState.Running, await host.Backend.CheckAsync(pool, Cancellation));
        var seen = await host.Volumes.RefreshAsync(pool, _ => ValueTask.CompletedTask, DirPoolHost.NewRun(), Cancellation);
        Assert.Equal(new Permissions(0x1E8, 1234, 4321), seen.Permissions! with { Label = null });
        await File.WriteAllTextAsync($"{pool.Target.Path}/data", "", Cancellation);
        var error = (await Assert.ThrowsAsync<StorageException>(() => host.Backend.DeleteAsync(pool, DirPoolHost.NewRun(), Cancellation))).Error;
        Assert.Equal(ErrorCodes.InvalidState, error.Code);
        File.Delete($"{pool.Target.Path}/data");
        await host.Backend.DeleteAsync(pool, DirPoolHost.NewRun(), Cancellation);
        await host.Backend.DeleteAsync(pool, DirPoolHost.NewRun(), Cancellation);
        Assert.False(Directory.Exists(pool.Target.Path));
    }

    public void Dispose() => host.Dispose();

    private Task BuildAsync() => host.Backend.BuildAsync(host.Pool, overwrite: false, DirPoolHost.NewRun(), Cancellation);

    private async Task<StorageError> RefusedAsync(VolumeDefinition volume) => (await Assert.ThrowsAsync<StorageException>(
        () => host.Volumes.CreateVolumeAsync(host.Pool, volume, DirPoolHost.NewRun(), Cancellation))).Error;
}
