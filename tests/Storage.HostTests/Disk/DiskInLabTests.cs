using System.Globalization;
using Storage.Contracts;
using Xunit;

namespace Storage.HostTests;

/// <summary>A disk with a name of its own, on a host where udev gives names: from build to delete, and what is on its partitions.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class DiskInLabTests : IAsyncLifetime
{
    private const long MiB = 1 << 20;
    private const int Rounds = 2;
    private const string Device = "/dev/disk/by-id/virtio-lab2";

    private AgentHost host = null!;
    private string folder = "";
    private string disk = "";
    private PoolDefinition pool = null!;

    public async ValueTask InitializeAsync()
    {
        host = await LabHost.RunningAsync();
        folder = host.NewFolder();
        // Other tests may have had it before.
        host.Shell($"dd if=/dev/zero of={Device} bs=1M count=1 oflag=direct status=none");
        disk = host.Shell($"basename $(readlink -f {Device})").Trim();
        pool = PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "disk",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(Device)], Format = "gpt" },
            Target = new PoolTarget { Path = "/dev/disk/by-id" },
        });
    }

    [Fact]
    public async Task A_partition_has_a_lasting_name_grows_under_its_file_system_and_becomes_a_file()
    {
        await DoneAsync(new BuildPool(null, "disk"));
        await DoneAsync(new StartPool(null, "disk"));
        var made = await DoneAsync(new CreateVolume(null, "disk", new VolumeDefinition { Capacity = 40 * MiB, Format = "linux" }));
        Assert.Equal($"{disk}1", made.Read<OperationSucceeded>().Result?.GetProperty("volume").GetString());
        var told = host.Events.First(told => told.CommandId == made.CommandId && told.Type == nameof(VolumeCreated)).Read<VolumeCreated>().Volume;
        Assert.Equal(($"{Device}-part1", $"{Device}-part1"), (told.Key, told.Path));
        await DoneAsync(new CreateVolume(null, "disk", new VolumeDefinition { Name = $"{disk}2", Capacity = 8 * MiB }));
        await DoneAsync(new DeleteVolume(null, "disk", $"{disk}2"));
        host.Shell($"udevadm settle; mkfs.ext4 -q /dev/{disk}1; mkdir {folder}/at; mount /dev/{disk}1 {folder}/at; echo content >{folder}/at/file");
        await DoneAsync(new ResizeVolume(null, "disk", $"{disk}1", 80 * MiB));
        host.Shell($"resize2fs /dev/{disk}1 >&2");
        Assert.True(host.FileSystem($"{folder}/at").Total > 60 * MiB);
        Assert.Equal(ErrorCodes.InUse, (await FailedAsync(new DeleteVolume(null, "disk", $"{disk}1"))).Code);
        host.Shell($"umount {folder}/at; udevadm settle");
        var seen = Assert.Single(await RefreshAsync());
        Assert.Equal(($"{Device}-part1", $"{Device}-part1", 80 * MiB), (seen.Key, seen.Path, seen.Capacity!.Value));
        var files = PoolRules.Complete(new PoolDefinition { Type = PoolType.Dir, Name = "files", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = $"{folder}/files" } });
        host.Shell($"mkdir {folder}/files");
        var copied = await host.RunAsync(files, new CloneVolume(null, "files", new VolumeDefinition { Name = "copy", Allocation = 0 }, seen.Name, "disk"), source: pool, sourceVolume: seen);
        Assert.True(copied.Type == nameof(OperationSucceeded), $"{copied.Data}");
        Assert.Equal((80 * MiB).ToString(CultureInfo.InvariantCulture), host.Shell($"stat --format=%s {folder}/files/copy; cmp /dev/{disk}1 {folder}/files/copy").Trim());
        await DoneAsync(new WipeVolume(null, "disk", $"{disk}1", WipeAlgorithm.Trim));
        await DoneAsync(new DeleteVolume(null, "disk", $"{disk}1"));
        await DoneAsync(new StopPool(null, "disk"));
        await DoneAsync(new DeletePool(null, "disk"));
        Assert.Equal("", host.Shell($"wipefs --noheadings {Device}").Trim());
    }

    /// <summary>For each reading the kernel lets go of all partitions and finds them anew: in between their devices are gone.</summary>
    [Fact]
    public async Task Partitions_are_made_seen_copied_wiped_and_deleted_while_udev_has_the_kernel_read_their_table_again_and_again()
    {
        await DoneAsync(new BuildPool(null, "disk"));
        await DoneAsync(new StartPool(null, "disk"));
        // Whoever closes a disk that was open for writing has udev do so. It is given time, else it would go on for minutes afterwards.
        host.Shell($"touch {folder}/again; while [ -e {folder}/again ]; do : <>/dev/{disk}; udevadm settle --timeout=1; done >/dev/null 2>&1 </dev/null &");
        for (var round = 1; round <= Rounds; round++)
        {
            await DoneAsync(new CreateVolume(null, "disk", new VolumeDefinition { Name = $"{disk}1", Capacity = 8 * MiB, Format = "linux-lvm" }));
            await DoneAsync(new CloneVolume(null, "disk", new VolumeDefinition { Name = $"{disk}2" }, $"{disk}1"));
            Assert.Equal([(1, null), (2, null)], (await RefreshAsync()).Select(volume => (int.Parse(volume.Name[^1..], CultureInfo.InvariantCulture), volume.Problem)));
            await DoneAsync(new WipeVolume(null, "disk", $"{disk}2"));
            await DoneAsync(new DeleteVolume(null, "disk", $"{disk}1"));
            await DoneAsync(new DeleteVolume(null, "disk", $"{disk}2"));
        }
        Assert.Equal("", host.Shell($"ls /sys/block/{disk} | grep {disk} || true").Trim());
    }

    public ValueTask DisposeAsync()
    {
        host.Shell($"rm -f {folder}/again; umount {folder}/at 2>/dev/null || true; wipefs --all --quiet {Device}; partprobe {Device} >&2; rm -rf {folder}");
        return ValueTask.CompletedTask;
    }

    private async Task<IReadOnlyList<VolumeDefinition>> RefreshAsync()
    {
        var end = await DoneAsync(new RefreshPool(null, "disk"));
        return [.. host.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved)).SelectMany(told => told.Read<VolumesObserved>().Volumes)];
    }

    private async Task<StorageEvent> DoneAsync(ICommand command)
    {
        var end = await host.RunAsync(pool, command);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    private async Task<StorageError> FailedAsync(ICommand command)
    {
        var end = await host.RunAsync(pool, command);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }
}
