using Storage.Contracts;
using Storage.Worker.Block;
using Xunit;

namespace Storage.HostTests;

/// <summary>A worker that is killed between two calls of the tools that make a label or a partition, and started again.</summary>
[Collection(Lab.Name)]
public sealed class DiskCrashTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly string folder = Directory.CreateTempSubdirectory("disk-crash-").FullName;
    private string device = "";

    [Theory]
    [InlineData("ToolEnded#2")]
    [InlineData("ToolStarting#3")]
    [InlineData("ToolEnded#3")]
    [InlineData("ToolStarting#4")]
    [InlineData("ToolEnded#4")]
    public async Task A_label_is_made_once(string step)
    {
        var (host, pool) = await UseAsync();
        await EndsWellAsync(host.RunKilledAtAsync(step, pool, new BuildPool(null, "disk")));
        Assert.Equal("gpt", HostProgram.Run("blkid", "--probe", "--output", "value", "--match-tag", "PTTYPE", device).Trim());
        await EndsWellAsync(host.RunAsync(pool, new StartPool(null, "disk")));
    }

    /// <summary>The table is read, the partition made, read, marked, its old signatures removed, and read.</summary>
    [Theory]
    [InlineData("JournalCommitted#2")]
    [InlineData("ToolStarting#2")]
    [InlineData("ToolEnded#2")]
    [InlineData("ToolStarting#4")]
    [InlineData("ToolEnded#4")]
    [InlineData("ToolEnded#5")]
    [InlineData("ToolEnded#6")]
    public async Task A_partition_is_made_once(string step)
    {
        var (host, pool) = await UseAsync();
        await EndsWellAsync(host.RunAsync(pool, new BuildPool(null, "disk")));
        await EndsWellAsync(host.RunAsync(pool, new StartPool(null, "disk")));
        var disk = Path.GetFileName(device);
        var volume = new VolumeDefinition { Name = PartitionNode.NameOf(disk, 1), Capacity = 8 * MiB, Format = "linux-lvm" };
        var end = await EndsWellAsync(host.RunKilledAtAsync(step, pool, new CreateVolume(null, "disk", volume)));
        Assert.Single(host.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumeCreated)).Select(told => told.EventId).Distinct());
        var made = Assert.Single(Partitions());
        Assert.Equal((1, MiB, 9 * MiB, "lvm"), (made.Number, made.Start, made.End, Assert.Single(made.Flags)));
        await EndsWellAsync(host.RunAsync(pool, new DeleteVolume(null, "disk", volume.Name)));
    }

    [Fact]
    public async Task A_copy_of_what_is_gone_when_the_worker_is_back_leaves_no_partition()
    {
        var (host, pool) = await UseAsync();
        await EndsWellAsync(host.RunAsync(pool, new BuildPool(null, "disk")));
        // Not by the worker, which would look at the disk afterwards: the tools are counted.
        HostProgram.Run("parted", "--script", device, "mkpart", "primary", $"{MiB}B", $"{9 * MiB - 1}B");
        await EndsWellAsync(host.RunAsync(pool, new StartPool(null, "disk")));
        var disk = Path.GetFileName(device);
        var (source, copy) = (PartitionNode.NameOf(disk, 1), PartitionNode.NameOf(disk, 2));
        var id = await host.KilledAtAsync("ToolEnded#3", pool, new CloneVolume(null, "disk", new VolumeDefinition { Name = copy }, source));
        Assert.Equal([1, 2], Partitions().Select(partition => partition.Number));
        HostProgram.Run("parted", "--script", device, "rm", "1");
        var end = await host.GoesOnAsync(id);
        Assert.Equal((nameof(OperationFailed), ErrorCodes.VolumeNotFound), (end.Type, end.Read<OperationFailed>().Error.Code));
        Assert.Empty(Partitions());
    }

    public void Dispose()
    {
        if (device.Length > 0)
            HostProgram.Run("sh", "-c", $"partx --delete {device} 2>/dev/null; losetup --detach {device}");
        Directory.Delete(folder, recursive: true);
    }

    private IReadOnlyList<Partition> Partitions() =>
        PartitionTable.Parse(HostProgram.Run("parted", "--script", "--json", device, "unit", "B", "print", "free"))!.Partitions;

    private static async Task<StorageEvent> EndsWellAsync(Task<StorageEvent> ending)
    {
        var end = await ending;
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        return end;
    }

    private async Task<(AgentHost Host, PoolDefinition Pool)> UseAsync()
    {
        Requires.Tools(["losetup", "parted", "partprobe", "partx", "wipefs", "blkid"]);
        device = HostProgram.Run("sh", "-c", $"truncate -s 64M {folder}/disk; losetup --find --show {folder}/disk").Trim();
        return (await MachineAgent.RunningAsync(), PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "disk",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(device)], Format = "gpt" },
            Target = new PoolTarget { Path = "/dev" },
        }));
    }
}
