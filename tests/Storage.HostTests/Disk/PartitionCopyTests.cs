using Storage.Contracts;
using Storage.Worker;
using Xunit;
using static Storage.HostTests.DiskUnderTest;

namespace Storage.HostTests;

/// <summary>What is on a partition becomes a file of a pool of another family: its worker finds the device by what was last seen of it.</summary>
public sealed class PartitionCopyTests : IAsyncLifetime
{
    private readonly WorkerOnHost worker = WorkerOnHost.OfFileFamily();
    private DiskUnderTest disk = null!;
    private PoolDefinition files = null!;

    public async ValueTask InitializeAsync()
    {
        disk = await DiskUnderTest.StartedAsync();
        await worker.StartAsync();
        files = new PoolDefinition { Type = PoolType.Dir, Name = "files", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = $"{disk.Folder}/files" } };
        Directory.CreateDirectory(files.Target.Path!);
        await disk.DoneAsync(disk.Create(1, 8 * MiB));
        // Four MiB of data, of which the kernel tells nobody where they end.
        HostProgram.Run("sh", "-c", $"head -c 4194304 /dev/urandom | dd of={disk.Node(1)} bs=1M conv=fsync status=none");
    }

    [Fact]
    public async Task It_is_as_long_as_the_partition_and_full_unless_less_is_asked_for()
    {
        var seen = await SeenAsync(1);
        await DoneAsync(new VolumeDefinition { Name = "full" }, seen);
        await DoneAsync(new VolumeDefinition { Name = "sparse", Allocation = 0, Capacity = 12 * MiB }, seen);
        HostProgram.Run("cmp", disk.Node(1), PathOf("full"));
        HostProgram.Run("cmp", "-n", "8388608", disk.Node(1), PathOf("sparse"));
        Assert.Equal((8 * MiB, 12 * MiB), (new FileInfo(PathOf("full")).Length, new FileInfo(PathOf("sparse")).Length));
        Assert.Equal((8 * MiB, 4 * MiB), (Blocks("full"), Blocks("sparse")));
    }

    [Fact]
    public async Task It_becomes_an_image_where_one_is_asked_for()
    {
        Requires.Tool(QemuImg.Name);
        await DoneAsync(new VolumeDefinition { Name = "image", Format = "qcow2", Allocation = 0 }, await SeenAsync(1));
        Assert.Contains("identical", HostProgram.Run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk.Node(1), PathOf("image")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_partition_under_its_name_is_not_taken_for_it()
    {
        var seen = await SeenAsync(1);
        await disk.DoneAsync(disk.Create(2, 8 * MiB));
        await disk.DoneAsync(new DeleteVolume(null, Pool, disk.Name(1)));
        HostProgram.Run("parted", "--script", disk.Device, "mkpart", "primary", $"{64 * MiB}B", $"{72 * MiB - 1}B");
        Assert.True(File.Exists(disk.Node(1)));
        var refused = await FailedAsync(seen);
        Assert.Equal((ErrorCodes.VolumeNotFound, "sourceVolume"), (refused.Code, refused.Field));
        Assert.Equal(ErrorCodes.VolumeNotFound, (await FailedAsync(seen with { Path = disk.Node(2) })).Code);
        Assert.Equal(ErrorCodes.VolumeNotFound, (await FailedAsync(seen with { Path = "/dev/none" })).Code);
        Assert.Equal(ErrorCodes.Unsupported, (await FailedAsync(seen with { Path = "/etc/passwd" })).Code);
        Assert.Equal(ErrorCodes.Unsupported, (await FailedAsync(null)).Code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(files.Target.Path!));
    }

    [Fact]
    public async Task Blocks_are_not_shared_with_a_device()
    {
        var end = await RunAsync(new CloneVolume(null, "files", new VolumeDefinition { Name = "shared" }, disk.Name(1), Pool, Reflink: true), await SeenAsync(1));
        Assert.Equal((ErrorCodes.Unsupported, "reflink"), (end.Read<OperationFailed>().Error.Code, end.Read<OperationFailed>().Error.Field));
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await disk.DisposeAsync();
    }

    private string PathOf(string volume) => $"{files.Target.Path}/{volume}";

    private long Blocks(string volume) => long.Parse(HostProgram.Run("stat", "--format=%b", PathOf(volume)).Trim(), System.Globalization.CultureInfo.InvariantCulture) * 512;

    private async Task<VolumeDefinition> SeenAsync(int number) => (await disk.RefreshAsync()).Single(volume => volume.Name == disk.Name(number));

    private async Task DoneAsync(VolumeDefinition copy, VolumeDefinition seen)
    {
        var end = await RunAsync(new CloneVolume(null, "files", copy, seen.Name, Pool), seen);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
    }

    private async Task<StorageError> FailedAsync(VolumeDefinition? seen)
    {
        var end = await RunAsync(new CloneVolume(null, "files", new VolumeDefinition { Name = "refused" }, disk.Name(1), Pool), seen);
        Assert.True(end.Type == nameof(OperationFailed), $"{end.Type}");
        return end.Read<OperationFailed>().Error;
    }

    private Task<StorageEvent> RunAsync(CloneVolume command, VolumeDefinition? seen) => worker.RunAsync(files, command, source: disk.Definition, sourceVolume: seen);
}
