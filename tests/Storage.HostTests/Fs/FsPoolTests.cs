using Microsoft.Extensions.DependencyInjection;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.File;
using Xunit;

namespace Storage.HostTests;

/// <summary>What is built over, what is refused, and what is mounted, on real devices.</summary>
public sealed class FsPoolTests : IDisposable
{
    private const string Text = "somebody's data";
    private readonly LoopDevice device = LoopDevice.Create(64 << 20);
    private readonly string folder = Directory.CreateTempSubdirectory("fs-pool-").FullName;
    private readonly FsPool backend = new ServiceCollection().AddLogging().AddFileFamily().BuildServiceProvider().GetServices<IPoolBackend>().OfType<FsPool>().Single();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Target => Path.Combine(folder, "target");

    [Theory]
    [InlineData("ext2")]
    [InlineData("ext3")]
    [InlineData("ext4")]
    [InlineData("vfat")]
    [InlineData("udf")]
    [InlineData("gfs2")]
    [InlineData("ocfs2")]
    public async Task A_blank_device_is_made_into_the_format_and_taken_as_it_is_from_then_on(string format)
    {
        Requires.Tool(FileSystemMaker.ProgramOf(format));
        await BuildAsync(format);
        Assert.Equal(format, Signature());
        var made = Uuid();
        await BuildAsync(format);
        Assert.Equal(made, Uuid());
        await BuildAsync(format, overwrite: true);
        Assert.NotEqual(made, Uuid());
    }

    [Fact]
    public async Task Another_file_system_is_kept_unless_told_to_overwrite()
    {
        HostProgram.Run("mkfs.ext4", "-q", device.Path);
        Assert.Equal(ErrorCodes.PoolBuilt, await RefusedAsync("xfs", overwrite: false));
        Assert.Equal("ext4", Signature());
        HostProgram.Run("sh", "-c", $"echo label: gpt | sfdisk --quiet --wipe always {device.Path}");
        Assert.Equal(ErrorCodes.PoolBuilt, await RefusedAsync("ext4", overwrite: false));
        await BuildAsync("ext4", overwrite: true);
        Assert.Equal("ext4", Signature());
    }

    [Fact]
    public async Task Data_that_nothing_describes_is_kept_unless_told_to_overwrite()
    {
        File.WriteAllText(device.Path, Text);
        Assert.Equal(ErrorCodes.ProbeFailed, await RefusedAsync("ext4", overwrite: false));
        Assert.StartsWith(Text, ReadHead(), StringComparison.Ordinal);
        await BuildAsync("ext4", overwrite: true);
    }

    [Fact]
    public async Task A_file_system_that_others_unmount_makes_its_pool_inaccessible_and_is_watched_while_it_is_mounted()
    {
        await using var worker = WorkerOnHost.OfFileFamily();
        await worker.StartAsync();
        await BuildAsync("ext4");
        var pool = Pool("ext4");
        Assert.Equal(nameof(OperationSucceeded), (await worker.RunAsync(pool, new StartPool(null, "p"))).Type);
        await File.WriteAllTextAsync(Path.Combine(Target, "new"), Text, Cancellation);
        await worker.FirstAsync(told => told.Type == nameof(VolumesSeen));
        HostProgram.Run("umount", Target);
        var told = await worker.FirstAsync(told => told.Type == nameof(PoolStateChanged));
        Assert.Equal((PoolState.Inaccessible, null), (told.Read<PoolStateChanged>().State, told.CommandId));
    }

    [Fact]
    public async Task A_stop_of_our_own_is_no_unmount_by_others()
    {
        await using var worker = WorkerOnHost.OfFileFamily();
        await worker.StartAsync();
        await BuildAsync("ext4");
        var pool = Pool("ext4");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(nameof(OperationSucceeded), (await worker.RunAsync(pool, new StartPool(null, "p"))).Type);
            Assert.Equal(nameof(OperationSucceeded), (await worker.RunAsync(pool, new StopPool(null, "p"))).Type);
        }
        Assert.Equal(nameof(OperationSucceeded), (await worker.RunAsync(pool, new StartPool(null, "p"))).Type);
        await File.WriteAllTextAsync(Path.Combine(Target, "new"), Text, Cancellation);
        await worker.FirstAsync(told => told.Type == nameof(VolumesSeen));
        Assert.Equal(nameof(OperationSucceeded), (await worker.RunAsync(pool, new StopPool(null, "p"))).Type);
        Assert.DoesNotContain(worker.Events, told => told.Type == nameof(PoolStateChanged));
    }

    [Fact]
    public async Task A_device_in_use_is_never_made_anew()
    {
        await BuildAsync("ext4");
        await backend.StartAsync(Pool("ext4"), DirPoolHost.NewRun(), Cancellation);
        var before = Uuid();
        Assert.Equal(ErrorCodes.InvalidState, await RefusedAsync("ext4", overwrite: true));
        Assert.Equal(ErrorCodes.InvalidState, await RefusedAsync("vfat", overwrite: true));
        Assert.Equal(before, Uuid());
    }

    [Fact]
    public void The_device_of_the_root_file_system_is_in_use()
    {
        var root = MountTable.At("/")!;
        if (!File.Exists(root.Source))
            throw Requires.Missing($"the root file system is on no device but {root.Source}");
        var error = Assert.Throws<StorageException>(() => DeviceUse.RequireFree(root.Source, "device")).Error;
        Assert.Equal(ErrorCodes.InvalidState, error.Code);
    }

    [Fact]
    public async Task It_is_mounted_without_devices_setuid_and_execution_and_with_its_own_options()
    {
        await BuildAsync("ext4");
        await backend.StartAsync(Pool("ext4") with { MountOptions = ["noatime", "commit=30"] }, DirPoolHost.NewRun(), Cancellation);
        var options = File.ReadLines("/proc/self/mounts").Single(line => line.Split(' ')[1] == Target).Split(' ')[3].Split(',');
        Assert.Subset(options.ToHashSet(), new HashSet<string> { "nodev", "nosuid", "noexec", "noatime", "commit=30" });
    }

    [Fact]
    public async Task Where_something_else_is_mounted_nothing_is_mounted_over_it()
    {
        await BuildAsync("ext4");
        HostProgram.Run("mount", "-t", "tmpfs", "tmpfs", Target);
        var error = await Assert.ThrowsAsync<StorageException>(() => backend.StartAsync(Pool("ext4"), DirPoolHost.NewRun(), Cancellation));
        Assert.Equal(ErrorCodes.InvalidState, error.Error.Code);
        Assert.Equal(PoolState.Inactive, await backend.CheckAsync(Pool("ext4"), Cancellation));
        await backend.StopAsync(Pool("ext4"), DirPoolHost.NewRun(), Cancellation);
        Assert.Equal("tmpfs", MountTable.At(Target)!.FileSystem);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_start_that_fails_unmounts_what_it_has_mounted_and_nothing_else(bool mountedBefore)
    {
        await using var worker = WorkerOnHost.OfFileFamily();
        await worker.StartAsync();
        await BuildAsync("ext4");
        if (mountedBefore)
            HostProgram.Run("mount", device.Path, Target);
        // Only btrfs can.
        var end = await worker.RunAsync(Pool("ext4") with { CopyOnWrite = false }, new StartPool(null, "p"));
        Assert.Equal((nameof(OperationFailed), ErrorCodes.Unsupported), (end.Type, end.Read<OperationFailed>().Error.Code));
        Assert.Equal(mountedBefore, MountTable.At(Target) is not null);
    }

    [Fact]
    public async Task A_device_that_is_none_is_refused()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, Text);
        var error = await Assert.ThrowsAsync<StorageException>(() => backend.BuildAsync(
            Pool("ext4") with { Source = new PoolSource { Devices = [new SourceDevice(file)], Format = "ext4" } }, true, DirPoolHost.NewRun(), Cancellation));
        Assert.Equal((ErrorCodes.InvalidDefinition, "source.devices[0].path"), (error.Error.Code, error.Error.Field));
        Assert.Equal(Text, File.ReadAllText(file));
    }

    public void Dispose()
    {
        if (MountTable.At(Target) is not null)
            HostProgram.Run("umount", "--lazy", Target);
        device.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private PoolDefinition Pool(string format) => PoolRules.Complete(new PoolDefinition
    {
        Type = PoolType.Fs,
        Name = "pool",
        Uuid = Guid.NewGuid(),
        Source = new PoolSource { Devices = [new SourceDevice(device.Path)], Format = format },
        Target = new PoolTarget { Path = Target },
    });

    private Task BuildAsync(string format, bool overwrite = false) => backend.BuildAsync(Pool(format), overwrite, DirPoolHost.NewRun(), Cancellation);

    private async Task<string> RefusedAsync(string format, bool overwrite) =>
        (await Assert.ThrowsAsync<StorageException>(() => BuildAsync(format, overwrite))).Error.Code;

    private string Signature() => HostProgram.Run("blkid", "-p", "-o", "value", "-s", "TYPE", device.Path).Trim();

    private string Uuid() => HostProgram.Run("blkid", "-p", "-o", "value", "-s", "UUID", device.Path).Trim();

    private string ReadHead()
    {
        using var file = File.OpenRead(device.Path);
        var head = new byte[512];
        file.ReadExactly(head);
        return System.Text.Encoding.UTF8.GetString(head);
    }
}
