using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Partitions with LUKS on them. The agent asks for the passphrase as any worker does.</summary>
[Collection(Lab.Name)]
public sealed class DiskEncryptionTests : IAsyncLifetime
{
    private const long MiB = 1 << 20;

    private static readonly VolumeEncryption Luks = new("luks", Secrets: [new SecretReference(Usage: AgentHost.SecretUsage, Type: "passphrase")]);

    private AgentHost host = null!;
    private PartitionedPool disk = null!;
    private string folder = "";

    private string Name => disk.Definition.Name!;

    private DrivenPool Driven => new(host, disk);

    public async ValueTask InitializeAsync()
    {
        Requires.Tools(["losetup", "parted", "partprobe", "partx", "wipefs", "blockdev", QemuImg.Name]);
        host = await MachineAgent.RunningAsync();
        disk = new PartitionedPool(host, "gpt");
        folder = host.NewFolder();
        File.WriteAllText($"{folder}/passphrase", AgentHost.Password);
        await Driven.DoneAsync(new BuildPool(null, Name));
        await Driven.DoneAsync(new StartPool(null, Name));
    }

    [Fact]
    public async Task A_partition_has_room_for_its_content_beside_the_header_and_is_opened_with_the_passphrase()
    {
        await Driven.DoneAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = disk.NameOf(1), Capacity = 8 * MiB, Encryption = Luks }));
        Assert.Equal(10 * MiB, long.Parse(HostProgram.Run("blockdev", "--getsize64", disk.DeviceOf(1)).Trim(), System.Globalization.CultureInfo.InvariantCulture));
        Opened(1, "info");
        // Written to as whoever has the passphrase does.
        HostProgram.Run("sh", "-c", $"head -c {8 * MiB} /dev/urandom >{folder}/content");
        HostProgram.Run("sh", "-c", $"qemu-img convert -n --object secret,id=s,file={folder}/passphrase --image-opts --target-image-opts "
            + $"driver=raw,file.filename={folder}/content driver=luks,key-secret=s,file.filename={disk.DeviceOf(1)}");
        var seen = Assert.Single(await Driven.RefreshAsync());
        Assert.Equal(("luks", 10 * MiB), (seen.Encryption!.Format, seen.Capacity!.Value));
        await Driven.DoneAsync(new WipeVolume(null, "disk", disk.NameOf(1)));
        HostProgram.Run("cmp", "-n", "10485760", disk.DeviceOf(1), "/dev/zero");
    }

    [Fact]
    public async Task A_copy_holds_the_content_within_its_encryption()
    {
        await Driven.DoneAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = disk.NameOf(1), Capacity = 4 * MiB }));
        HostProgram.Run("sh", "-c", $"head -c {4 * MiB} /dev/urandom | dd of={disk.DeviceOf(1)} bs=1M conv=fsync status=none");
        await Driven.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = disk.NameOf(2), Encryption = Luks }, disk.NameOf(1)));
        var opened = $"--object secret,id=s,file={folder}/passphrase --image-opts";
        HostProgram.Run("sh", "-c", $"qemu-img convert {opened} -O raw driver=luks,key-secret=s,file.filename={disk.DeviceOf(2)} {folder}/plain; cmp -n {4 * MiB} {folder}/plain {disk.DeviceOf(1)}");
        // What is not encrypted is copied as it is, header and all.
        await Driven.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = disk.NameOf(3) }, disk.NameOf(2)));
        HostProgram.Run("cmp", "-n", "6291456", disk.DeviceOf(2), disk.DeviceOf(3));
    }

    [Fact]
    public async Task A_worker_that_is_killed_while_the_header_is_made_makes_it_once_more()
    {
        var create = new CreateVolume(null, Name, new VolumeDefinition { Name = disk.NameOf(1), Capacity = 8 * MiB, Encryption = Luks });
        // The partition is made and wiped by then, and qemu-img has begun.
        var end = await host.RunKilledAtAsync("ToolEnded#5", disk.Definition, create);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        Opened(1, "info");
    }

    [Theory]
    [InlineData("luks2")]
    [InlineData("qcow")]
    public async Task What_cannot_be_made_is_refused_before_anything_is(string format)
    {
        var refused = await Driven.ErrorAsync(new CreateVolume(null, Name, new VolumeDefinition { Name = disk.NameOf(1), Capacity = 8 * MiB, Encryption = Luks with { Format = format } }));
        Assert.Equal("encryption.format", refused.Field);
        Assert.False(File.Exists(disk.DeviceOf(1)));
    }

    public ValueTask DisposeAsync()
    {
        disk?.Dispose();
        if (folder.Length > 0)
            Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private string Opened(int number, string command) =>
        HostProgram.Run("sh", "-c", $"qemu-img {command} --object secret,id=s,file={folder}/passphrase --image-opts driver=luks,key-secret=s,file.filename={disk.DeviceOf(number)}");
}
