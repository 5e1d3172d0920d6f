using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.Block;
using Xunit;

namespace Storage.HostTests;

/// <summary>Partitions with LUKS on them. The agent asks for the passphrase as any worker does.</summary>
[Collection(Lab.Name)]
public sealed class DiskEncryptionTests : IAsyncLifetime
{
    private const long MiB = 1 << 20;

    private static readonly VolumeEncryption Luks = new("luks", Secrets: [new SecretReference(Usage: AgentHost.SecretUsage, Type: "passphrase")]);

    private readonly string folder = Directory.CreateTempSubdirectory("disk-luks-").FullName;
    private string device = "";
    private AgentHost host = null!;
    private PoolDefinition pool = null!;

    public async ValueTask InitializeAsync()
    {
        Requires.Tools(["losetup", "parted", "partprobe", "partx", "wipefs", "blockdev", QemuImg.Name]);
        device = HostProgram.Run("sh", "-c", $"truncate -s 64M {folder}/disk; losetup --find --show {folder}/disk").Trim();
        File.WriteAllText($"{folder}/passphrase", AgentHost.Password);
        host = await MachineAgent.RunningAsync();
        pool = PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "disk",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(device)], Format = "gpt" },
            Target = new PoolTarget { Path = "/dev" },
        });
        await DoneAsync(new BuildPool(null, "disk"));
        await DoneAsync(new StartPool(null, "disk"));
    }

    [Fact]
    public async Task A_partition_has_room_for_its_content_beside_the_header_and_is_opened_with_the_passphrase()
    {
        await DoneAsync(new CreateVolume(null, "disk", new VolumeDefinition { Name = Name(1), Capacity = 8 * MiB, Encryption = Luks }));
        Assert.Equal(10 * MiB, long.Parse(HostProgram.Run("blockdev", "--getsize64", Node(1)).Trim(), System.Globalization.CultureInfo.InvariantCulture));
        Opened(1, "info");
        // Written to as whoever has the passphrase does.
        HostProgram.Run("sh", "-c", $"head -c {8 * MiB} /dev/urandom >{folder}/content");
        HostProgram.Run("sh", "-c", $"qemu-img convert -n --object secret,id=s,file={folder}/passphrase --image-opts --target-image-opts "
            + $"driver=raw,file.filename={folder}/content driver=luks,key-secret=s,file.filename={Node(1)}");
        var end = await DoneAsync(new RefreshPool(null, "disk"));
        var seen = Assert.Single(host.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved)).SelectMany(told => told.Read<VolumesObserved>().Volumes));
        Assert.Equal(("luks", 10 * MiB), (seen.Encryption!.Format, seen.Capacity!.Value));
        await DoneAsync(new WipeVolume(null, "disk", Name(1)));
        HostProgram.Run("cmp", "-n", "10485760", Node(1), "/dev/zero");
    }

    [Fact]
    public async Task A_copy_holds_the_content_within_its_encryption()
    {
        await DoneAsync(new CreateVolume(null, "disk", new VolumeDefinition { Name = Name(1), Capacity = 4 * MiB }));
        HostProgram.Run("sh", "-c", $"head -c {4 * MiB} /dev/urandom | dd of={Node(1)} bs=1M conv=fsync status=none");
        await DoneAsync(new CloneVolume(null, "disk", new VolumeDefinition { Name = Name(2), Encryption = Luks }, Name(1)));
        var opened = $"--object secret,id=s,file={folder}/passphrase --image-opts";
        HostProgram.Run("sh", "-c", $"qemu-img convert {opened} -O raw driver=luks,key-secret=s,file.filename={Node(2)} {folder}/plain; cmp -n {4 * MiB} {folder}/plain {Node(1)}");
        // What is not encrypted is copied as it is, header and all.
        await DoneAsync(new CloneVolume(null, "disk", new VolumeDefinition { Name = Name(3) }, Name(2)));
        HostProgram.Run("cmp", "-n", "6291456", Node(2), Node(3));
    }

    [Fact]
    public async Task A_worker_that_is_killed_while_the_header_is_made_makes_it_once_more()
    {
        var create = new CreateVolume(null, "disk", new VolumeDefinition { Name = Name(1), Capacity = 8 * MiB, Encryption = Luks });
        // The partition is made and wiped by then, and qemu-img has begun.
        var end = await host.RunKilledAtAsync("ToolEnded#6", pool, create);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        Opened(1, "info");
    }

    [Theory]
    [InlineData("luks2")]
    [InlineData("qcow")]
    public async Task What_cannot_be_made_is_refused_before_anything_is(string format)
    {
        var end = await host.RunAsync(pool, new CreateVolume(null, "disk", new VolumeDefinition { Name = Name(1), Capacity = 8 * MiB, Encryption = Luks with { Format = format } }));
        Assert.Equal("encryption.format", end.Read<OperationFailed>().Error.Field);
        Assert.False(File.Exists(Node(1)));
    }

    public ValueTask DisposeAsync()
    {
        HostProgram.Run("sh", "-c", $"partx --delete {device} 2>/dev/null; losetup --detach {device}");
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private string Name(int number) => PartitionNode.NameOf(Path.GetFileName(device), number);

    private string Node(int number) => PartitionNode.DeviceOf(Name(number));

    private string Opened(int number, string command) =>
        HostProgram.Run("sh", "-c", $"qemu-img {command} --object secret,id=s,file={folder}/passphrase --image-opts driver=luks,key-secret=s,file.filename={Node(number)}");

    private async Task<StorageEvent> DoneAsync(ICommand command)
    {
        var end = await host.RunAsync(pool, command);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }
}
