using System.Buffers.Binary;
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
    public async Task A_disk_of_LVM_is_recognised_and_left_alone()
    {
        Requires.Tool("lvm");
        disk = await DiskUnderTest.BlankAsync(size: 64 * MiB);
        HostProgram.Run("lvm", "pvcreate", "--quiet", "--config", "devices/use_devicesfile=0", disk.Device);
        Assert.Contains("physical volume of LVM2", (await disk.FailedAsync(new StartPool(null, Pool))).Message, StringComparison.Ordinal);
        Assert.Contains("LVM2_member", (await disk.FailedAsync(new BuildPool(null, Pool))).Message, StringComparison.Ordinal);
        var lvm = disk.Definition with { Source = disk.Definition.Source with { Format = "lvm2" } };
        var refused = await disk.FailedAsync(new BuildPool(null, Pool, Overwrite: true), pool: lvm);
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, "source.format"), (refused.Code, refused.Field));
        Assert.Contains("LVM2_member", HostProgram.Run("wipefs", "--noheadings", disk.Device), StringComparison.Ordinal);
        // In no group it is of no use to anybody.
        await disk.DoneAsync(new BuildPool(null, Pool, Overwrite: true));
    }

    /// <summary>The superblock of version 1.2 of a RAID that nobody has assembled, as far as libblkid reads it: md(4), <c>mdp_superblock_1</c>.</summary>
    [Fact]
    public async Task A_member_of_a_RAID_is_left_alone_also_where_overwriting_is_said()
    {
        disk = await DiskUnderTest.BlankAsync(size: 64 * MiB);
        using (var device = File.OpenWrite(disk.Device))
        {
            device.Position = 4096;
            device.Write(RaidSuperblock());
            device.Flush(flushToDisk: true);
        }
        Assert.Contains("linux_raid_member", HostProgram.Run("wipefs", "--noheadings", disk.Device), StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.PoolBuilt, (await disk.FailedAsync(new BuildPool(null, Pool))).Code);
        var refused = await disk.FailedAsync(new BuildPool(null, Pool, Overwrite: true));
        Assert.Equal(ErrorCodes.InvalidState, refused.Code);
        Assert.Contains("linux_raid_member", refused.Message, StringComparison.Ordinal);
        Assert.Contains("linux_raid_member", HostProgram.Run("wipefs", "--noheadings", disk.Device), StringComparison.Ordinal);
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

    private static byte[] RaidSuperblock()
    {
        const int SectorsBefore = 8;
        var block = new byte[256];
        void Put(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(at), value);
        Put(0, 0xa92b4efc);
        Put(4, 1);
        Put(92, 2);
        Put(128, 2048);
        Put(136, 100_000);
        Put(144, SectorsBefore);
        var sum = Enumerable.Range(0, block.Length / 4).Aggregate(0UL, (total, word) => total + BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(4 * word)));
        Put(216, (uint)sum + (uint)(sum >> 32));
        return block;
    }

    public ValueTask DisposeAsync() => disk?.DisposeAsync() ?? ValueTask.CompletedTask;
}
