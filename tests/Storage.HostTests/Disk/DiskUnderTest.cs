using Storage.Contracts;
using Storage.Worker.Block;
using Xunit;

namespace Storage.HostTests;

/// <summary>A pool on a disk of this machine, which is a loop device and so has a name that ends in a digit, driven by a worker in the tests' own process.</summary>
internal sealed class DiskUnderTest : IAsyncDisposable
{
    public const string Pool = "disk";
    public const long MiB = 1 << 20;

    private DiskUnderTest(string folder, string device, string label)
    {
        (Folder, Device) = (folder, device);
        Definition = PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = Pool,
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(device)], Format = label },
            Target = new PoolTarget { Path = "/dev" },
        });
    }

    /// <summary>A folder of the test's own; the disk is in it.</summary>
    public string Folder { get; }

    /// <summary>The file that is the disk.</summary>
    public string File => $"{Folder}/disk";

    public string Device { get; }

    /// <summary>As its worker gets it.</summary>
    public PoolDefinition Definition { get; }

    public WorkerOnHost Worker { get; } = WorkerOnHost.OfBlockFamily();

    /// <summary>A disk on which nothing is yet.</summary>
    public static async Task<DiskUnderTest> BlankAsync(string label = "gpt", long size = 128 * MiB)
    {
        Requires.Tools(["losetup", "parted", "partprobe", "partx", "wipefs", "sfdisk", "blockdev"]);
        var folder = Directory.CreateTempSubdirectory("disk-pool-").FullName;
        var device = HostProgram.Run("sh", "-c", $"truncate -s {size} {folder}/disk; losetup --find --show {folder}/disk").Trim();
        var disk = new DiskUnderTest(folder, device, label);
        await disk.Worker.StartAsync();
        return disk;
    }

    /// <summary>A disk with its label.</summary>
    public static async Task<DiskUnderTest> StartedAsync(string label = "gpt", long size = 128 * MiB)
    {
        var disk = await BlankAsync(label, size);
        await disk.DoneAsync(new BuildPool(null, Pool));
        await disk.DoneAsync(new StartPool(null, Pool));
        return disk;
    }

    public string Name(int number) => PartitionNode.NameOf(Path.GetFileName(Device), number);

    public string Node(int number) => PartitionNode.DeviceOf(Name(number));

    public CreateVolume Create(int number, long size, string? format = null) =>
        new(null, Pool, new VolumeDefinition { Name = Name(number), Capacity = size, Format = format });

    public async Task<IReadOnlyList<VolumeDefinition>> RefreshAsync()
    {
        var end = await DoneAsync(new RefreshPool(null, Pool));
        return [.. Worker.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved)).SelectMany(told => told.Read<VolumesObserved>().Volumes)];
    }

    public async Task<StorageEvent> DoneAsync(ICommand command, PoolDefinition? source = null, PoolDefinition? pool = null)
    {
        var end = await Worker.RunAsync(pool ?? Definition, command, source: source);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    public async Task<StorageError> FailedAsync(ICommand command, PoolDefinition? source = null, PoolDefinition? pool = null)
    {
        var end = await Worker.RunAsync(pool ?? Definition, command, source: source);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }

    public async ValueTask DisposeAsync()
    {
        await Worker.DisposeAsync();
        HostProgram.Run("sh", "-c", $"partx --delete {Device} 2>/dev/null; losetup --detach {Device} 2>/dev/null || true");
        Directory.Delete(Folder, recursive: true);
    }
}
