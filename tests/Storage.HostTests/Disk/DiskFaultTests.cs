using Storage.Contracts;
using Xunit;
using static Storage.HostTests.DiskUnderTest;

namespace Storage.HostTests;

/// <summary>Disks that are not any more what their pool was started on.</summary>
public sealed class DiskFaultTests : IAsyncDisposable
{
    private DiskUnderTest disk = null!;

    [Theory]
    [InlineData("dd if=/dev/zero of=DISK bs=1M count=1 conv=notrunc status=none; dd if=/dev/zero of=DISK bs=1M seek=63 conv=notrunc count=1 status=none", "has no partition table")]
    [InlineData("parted --script DISK mklabel msdos", "has a dos label")]
    [InlineData("losetup --detach DISK", "cannot be read")]
    [InlineData("truncate -s 0 FILE; losetup --set-capacity DISK", "")]
    public async Task A_disk_without_its_label_makes_its_pool_inaccessible_and_says_why(string loss, string reason)
    {
        disk = await DiskUnderTest.StartedAsync(size: 64 * MiB);
        HostProgram.Run("sh", "-c", loss.Replace("DISK", disk.Device, StringComparison.Ordinal).Replace("FILE", disk.File, StringComparison.Ordinal));
        var end = await disk.Worker.RunAsync(disk.Definition, new RefreshPool(null, "disk"));
        var error = end.Read<OperationFailed>().Error;
        Assert.Contains(error.Code, new[] { ErrorCodes.ProbeFailed, ErrorCodes.HostFailure, ErrorCodes.ToolFailed });
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        var state = disk.Worker.Events.Single(told => told.CommandId == end.CommandId && told.Type == nameof(PoolStateChanged)).Read<PoolStateChanged>();
        Assert.Equal((PoolState.Inaccessible, error.Message), (state.State, state.Reason));
        var create = await disk.Worker.RunAsync(disk.Definition, disk.Create(1, MiB));
        Assert.Equal(nameof(OperationFailed), create.Type);
    }

    [Fact]
    public async Task The_label_of_a_disk_that_is_not_there_is_not_said_to_be_deleted()
    {
        disk = await DiskUnderTest.StartedAsync();
        var gone = disk.Definition with { Source = disk.Definition.Source with { Devices = [new SourceDevice($"{disk.Device}-gone")] } };
        Assert.Equal(ErrorCodes.HostFailure, (await disk.FailedAsync(new DeletePool(null, Pool), pool: gone)).Code);
        await disk.DoneAsync(new DeletePool(null, Pool));
        await disk.DoneAsync(new DeletePool(null, Pool));
    }

    public ValueTask DisposeAsync() => disk?.DisposeAsync() ?? ValueTask.CompletedTask;
}
