using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>Disks that are not any more what their pool was started on.</summary>
public sealed class DiskFaultTests : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("disk-fault-").FullName;
    private readonly WorkerOnHost worker = WorkerOnHost.OfBlockFamily();
    private string device = "";
    private PoolDefinition pool = null!;

    [Theory]
    [InlineData("dd if=/dev/zero of=DISK bs=1M count=1 conv=notrunc status=none; dd if=/dev/zero of=DISK bs=1M seek=63 conv=notrunc count=1 status=none", "has no partition table")]
    [InlineData("parted --script DISK mklabel msdos", "has a dos label")]
    [InlineData("losetup --detach DISK", "cannot be read")]
    [InlineData("truncate -s 0 FILE; losetup --set-capacity DISK", "")]
    public async Task A_disk_without_its_label_makes_its_pool_inaccessible_and_says_why(string loss, string reason)
    {
        await StartAsync();
        HostProgram.Run("sh", "-c", loss.Replace("DISK", device, StringComparison.Ordinal).Replace("FILE", $"{folder}/disk", StringComparison.Ordinal));
        var end = await worker.RunAsync(pool, new RefreshPool(null, "disk"));
        var error = end.Read<OperationFailed>().Error;
        Assert.Contains(error.Code, new[] { ErrorCodes.ProbeFailed, ErrorCodes.HostFailure, ErrorCodes.ToolFailed });
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        var state = worker.Events.Single(told => told.CommandId == end.CommandId && told.Type == nameof(PoolStateChanged)).Read<PoolStateChanged>();
        Assert.Equal((PoolState.Inaccessible, error.Message), (state.State, state.Reason));
        var create = await worker.RunAsync(pool, new CreateVolume(null, "disk", new VolumeDefinition { Name = $"{Path.GetFileName(device)}p1", Capacity = 1 << 20 }));
        Assert.Equal(nameof(OperationFailed), create.Type);
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        if (device.Length > 0)
            HostProgram.Run("sh", "-c", $"partx --delete {device} 2>/dev/null; losetup --detach {device} 2>/dev/null || true");
        Directory.Delete(folder, recursive: true);
    }

    private async Task StartAsync()
    {
        Requires.Tools(["losetup", "parted", "partprobe", "partx", "wipefs"]);
        device = HostProgram.Run("sh", "-c", $"truncate -s 64M {folder}/disk; losetup --find --show {folder}/disk").Trim();
        await worker.StartAsync();
        pool = PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "disk",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(device)], Format = "gpt" },
            Target = new PoolTarget { Path = "/dev" },
        });
        foreach (var command in new ICommand[] { new BuildPool(null, "disk"), new StartPool(null, "disk") })
        {
            var end = await worker.RunAsync(pool, command);
            Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        }
    }
}
