using System.Globalization;
using Storage.Contracts;
using Storage.Worker;
using Storage.Worker.Block;
using Xunit;

namespace Storage.HostTests;

/// <summary>Disks with partition tables: loop devices, whose names end in a digit.</summary>
public sealed class DiskPoolTests : IAsyncDisposable
{
    private const long MiB = 1 << 20;
    private const long Size = 128 * MiB;

    private readonly string folder = Directory.CreateTempSubdirectory("disk-pool-").FullName;
    private readonly WorkerOnHost worker = WorkerOnHost.OfBlockFamily();
    private string device = "";

    private string Disk => Path.GetFileName(device);

    [Theory]
    [InlineData("gpt")]
    [InlineData("dos")]
    public async Task A_disk_lives_from_build_to_delete_and_what_is_done_again_succeeds(string label)
    {
        var pool = await UseAsync(label);
        Assert.Equal(ErrorCodes.ProbeFailed, (await FailedAsync(pool, new StartPool(null, "disk"))).Code);
        for (var i = 0; i < 2; i++)
            await DoneAsync(pool, new BuildPool(null, "disk"));
        for (var i = 0; i < 2; i++)
            await DoneAsync(pool, new StartPool(null, "disk"));
        await DoneAsync(pool, Create(1, 16 * MiB));
        Assert.Equal(ErrorCodes.InvalidState, (await FailedAsync(pool, new DeletePool(null, "disk"))).Code);
        await DoneAsync(pool, new StopPool(null, "disk"));
        await DoneAsync(pool, new BuildPool(null, "disk"));
        await DoneAsync(pool, new StartPool(null, "disk"));
        Assert.Equal([Name(1)], (await RefreshAsync(pool)).Select(volume => volume.Name));
        for (var i = 0; i < 2; i++)
            await DoneAsync(pool, new DeleteVolume(null, "disk", Name(1)));
        Assert.False(File.Exists(Node(1)));
        for (var i = 0; i < 2; i++)
            await DoneAsync(pool, new DeletePool(null, "disk"));
        Assert.Equal("", HostProgram.Run("wipefs", "--noheadings", device));
    }

    [Fact]
    public async Task Partitions_are_aligned_fill_the_smallest_gap_and_have_the_next_free_name()
    {
        var pool = await StartAsync("gpt");
        foreach (var (number, size) in new[] { (1, 40 * MiB), (2, 10 * MiB), (3, 5 * MiB), (4, 20 * MiB) })
            await DoneAsync(pool, Create(number, size));
        await DoneAsync(pool, new DeleteVolume(null, "disk", Name(1)));
        await DoneAsync(pool, new DeleteVolume(null, "disk", Name(3)));
        var misnamed = await FailedAsync(pool, Create(3, 4 * MiB));
        Assert.Equal((ErrorCodes.InvalidDefinition, "name"), (misnamed.Code, misnamed.Field));
        Assert.Contains($"'{Name(1)}'", misnamed.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.VolumeExists, (await FailedAsync(pool, Create(2, 4 * MiB))).Code);
        await DoneAsync(pool, Create(1, 4 * MiB - 1));
        // Told without a refresh, and so before the next one: three partitions of 34 MiB, and the two tables of the label.
        var space = await worker.FirstAsync(told => told.Type == nameof(PoolSpaceChanged)
            && told.Read<PoolSpaceChanged>() is { Capacity: Size, Allocation: >= 34 * MiB and < 35 * MiB } seen && seen.Available == Size - seen.Allocation);
        Assert.Equal(pool.Uuid, space.Read<PoolSpaceChanged>().PoolId);
        var made = (await RefreshAsync(pool)).Single(volume => volume.Name == Name(1));
        // Where the third one was.
        Assert.Equal([new SourceExtent(device, 51 * MiB, 55 * MiB)], made.Extents!);
        Assert.Equal((VolumeKind.Block, 4 * MiB, Node(1), null), (made.Type!.Value, made.Capacity!.Value, made.Path, made.Problem));
        Assert.Equal(ErrorCodes.NoSpace, (await FailedAsync(pool, Create(3, 100 * MiB))).Code);
    }

    [Fact]
    public async Task A_dos_label_has_four_primary_partitions_of_which_one_holds_logical_ones()
    {
        var pool = await StartAsync("dos");
        await DoneAsync(pool, Create(1, 8 * MiB, "linux-lvm"));
        await DoneAsync(pool, Create(2, 60 * MiB, "extended"));
        Assert.Equal(ErrorCodes.UnsupportedConfiguration, (await FailedAsync(pool, Create(3, 8 * MiB, "extended"))).Code);
        await DoneAsync(pool, Create(3, 8 * MiB, "linux-swap"));
        await DoneAsync(pool, Create(4, 8 * MiB, "fat32"));
        await DoneAsync(pool, Create(5, 10 * MiB, "linux"));
        await DoneAsync(pool, Create(6, 10 * MiB));
        var seen = await RefreshAsync(pool);
        Assert.Equal([Name(1), Name(2), Name(3), Name(4), Name(5), Name(6)], seen.Select(volume => volume.Name));
        Assert.Equal(("linux-lvm", "extended"), (seen[0].Format, seen[1].Format));
        Assert.Equal(20 * MiB, seen[1].Allocation);
        Assert.All(seen, volume => Assert.Null(volume.Problem));
        Assert.Equal(["8e", "f", "82", "c", "83", "83"], Types());
        Assert.Equal(ErrorCodes.InvalidState, (await FailedAsync(pool, new DeleteVolume(null, "disk", Name(2)))).Code);
        Assert.Equal(ErrorCodes.InvalidState, (await FailedAsync(pool, new DeleteVolume(null, "disk", Name(5)))).Code);
        Assert.Equal(ErrorCodes.Unsupported, (await FailedAsync(pool, new WipeVolume(null, "disk", Name(2)))).Code);
        foreach (var number in new[] { 6, 5, 2 })
            await DoneAsync(pool, new DeleteVolume(null, "disk", Name(number)));
        Assert.Equal([Name(1), Name(3), Name(4)], (await RefreshAsync(pool)).Select(volume => volume.Name));
    }

    [Fact]
    public async Task What_is_on_a_partition_is_copied_kept_when_it_grows_and_overwritten()
    {
        var pool = await StartAsync("gpt");
        await DoneAsync(pool, Create(1, 8 * MiB));
        HostProgram.Run("sh", "-c", $"head -c 8388608 /dev/urandom | dd of={Node(1)} bs=1M conv=fsync status=none");
        await DoneAsync(pool, new CloneVolume(null, "disk", new VolumeDefinition { Name = Name(2) }, Name(1)));
        HostProgram.Run("cmp", Node(1), Node(2));
        await DoneAsync(pool, new ResizeVolume(null, "disk", Name(2), 4 * MiB, Delta: true));
        Assert.Equal((12 * MiB).ToString(CultureInfo.InvariantCulture), HostProgram.Run("blockdev", "--getsize64", Node(2)).Trim());
        HostProgram.Run("cmp", "-n", "8388608", Node(1), Node(2));
        Assert.Equal(ErrorCodes.NoSpace, (await FailedAsync(pool, new ResizeVolume(null, "disk", Name(1), 1, Delta: true))).Code);
        await DoneAsync(pool, new ResizeVolume(null, "disk", Name(2), 6 * MiB, Shrink: true));
        HostProgram.Run("cmp", "-n", "6291456", Node(1), Node(2));
        await DoneAsync(pool, new WipeVolume(null, "disk", Name(1)));
        HostProgram.Run("cmp", "-n", "8388608", Node(1), "/dev/zero");
        await DoneAsync(pool, new WipeVolume(null, "disk", Name(2), WipeAlgorithm.Nnsa));
        HostProgram.Run("cmp", "-n", "6291456", Node(2), "/dev/zero");
    }

    [Fact]
    public async Task The_content_of_a_file_and_of_an_image_becomes_a_partition()
    {
        Requires.Tool(QemuImg.Name);
        var pool = await StartAsync("gpt");
        var files = new PoolDefinition { Type = PoolType.Dir, Name = "files", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = $"{folder}/files" } };
        Directory.CreateDirectory(files.Target.Path!);
        HostProgram.Run("sh", "-c", $"cd {files.Target.Path} && head -c 4194304 /dev/urandom >raw");
        HostProgram.Run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", $"{files.Target.Path}/raw", $"{files.Target.Path}/image");
        var number = 0;
        foreach (var source in new[] { "raw", "image" })
        {
            await DoneAsync(pool, new CloneVolume(null, "disk", new VolumeDefinition { Name = Name(++number), Capacity = 6 * MiB }, source, SourcePool: "files"), files);
            HostProgram.Run("cmp", "-n", "4194304", Node(number), $"{files.Target.Path}/raw");
            HostProgram.Run("sh", "-c", $"tail -c 2097152 {Node(number)} | cmp -n 2097152 - /dev/zero");
        }
        var missing = await FailedAsync(pool, new CloneVolume(null, "disk", new VolumeDefinition { Name = Name(3) }, "none", SourcePool: "files"), files);
        Assert.Equal(ErrorCodes.VolumeNotFound, missing.Code);
        Assert.Equal(2, (await RefreshAsync(pool)).Count);
    }

    [Fact]
    public async Task Nothing_happens_to_a_partition_that_is_used_or_to_a_disk_with_one_also_when_it_is_said()
    {
        Requires.Tool("mkfs.ext4");
        var pool = await StartAsync("gpt");
        await DoneAsync(pool, Create(1, 32 * MiB));
        HostProgram.Run("mkfs.ext4", "-q", Node(1));
        var at = Directory.CreateDirectory($"{folder}/at").FullName;
        HostProgram.Run("mount", Node(1), at);
        try
        {
            foreach (var force in new[] { false, true })
            {
                var refused = await FailedAsync(pool, new DeleteVolume(null, "disk", Name(1), Force: force));
                Assert.Contains(at, refused.Message, StringComparison.Ordinal);
                Assert.Contains((await FailedAsync(pool, new WipeVolume(null, "disk", Name(1), Force: force))).Code, new[] { ErrorCodes.InUse, ErrorCodes.InvalidState });
                Assert.Equal(ErrorCodes.InvalidState, (await FailedAsync(pool with { Source = pool.Source with { Format = "dos" } }, new BuildPool(null, "disk", Overwrite: true))).Code);
            }
            // It grows under the file system.
            await DoneAsync(pool, new ResizeVolume(null, "disk", Name(1), 48 * MiB));
            HostProgram.Run("sh", "-c", $"echo kept >{at}/file; sync -f {at}");
        }
        finally
        {
            HostProgram.Run("umount", at);
        }
        HostProgram.Run("e2fsck", "-fp", Node(1));
        HostProgram.Run("resize2fs", Node(1));
        using (var reader = System.Diagnostics.Process.Start("sh", ["-c", $"exec sleep 60 <{Node(1)}"]))
        {
            var held = new DeleteVolume(null, "disk", Name(1));
            await HasOpenAsync(reader.Id);
            Assert.Contains($"sleep ({reader.Id})", (await FailedAsync(pool, held)).Message, StringComparison.Ordinal);
            Assert.Equal(ErrorCodes.InUse, (await FailedAsync(pool, held with { Force = true })).Code);
            reader.Kill();
            await reader.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        await DoneAsync(pool, new DeleteVolume(null, "disk", Name(1)));
    }

    [Fact]
    public async Task A_disk_that_holds_something_else_is_built_only_where_that_is_said()
    {
        var pool = await UseAsync("gpt");
        HostProgram.Run("mkfs.ext4", "-q", "-F", device);
        Assert.Equal(ErrorCodes.PoolBuilt, (await FailedAsync(pool, new BuildPool(null, "disk"))).Code);
        HostProgram.Run("wipefs", "-q", "--all", device);
        Assert.Equal(ErrorCodes.ProbeFailed, (await FailedAsync(pool, new BuildPool(null, "disk"))).Code);
        await DoneAsync(pool, new BuildPool(null, "disk", Overwrite: true));
        Assert.Equal(ErrorCodes.PoolBuilt, (await FailedAsync(pool with { Source = pool.Source with { Format = "dos" } }, new BuildPool(null, "disk"))).Code);
        var other = await FailedAsync(pool with { Source = pool.Source with { Format = "dos" } }, new StartPool(null, "disk"));
        Assert.Equal((ErrorCodes.ProbeFailed, "source.format"), (other.Code, other.Field));
    }

    [Fact]
    public async Task The_old_file_system_of_a_place_is_not_seen_on_the_new_partition()
    {
        var pool = await StartAsync("gpt");
        await DoneAsync(pool, Create(1, 32 * MiB));
        HostProgram.Run("mkfs.ext4", "-q", Node(1));
        await DoneAsync(pool, new DeleteVolume(null, "disk", Name(1)));
        await DoneAsync(pool, Create(1, 32 * MiB));
        Assert.Equal("", HostProgram.Run("wipefs", "--noheadings", Node(1)));
    }

    [Fact]
    public async Task Partitions_that_the_kernel_does_not_know_are_told_to_it_at_the_start()
    {
        var pool = await StartAsync("gpt");
        await DoneAsync(pool, Create(1, 8 * MiB));
        HostProgram.Run("partx", "--delete", device);
        Assert.NotNull(Assert.Single(await RefreshAsync(pool)).Problem);
        await DoneAsync(pool, new StartPool(null, "disk"));
        Assert.Null(Assert.Single(await RefreshAsync(pool)).Problem);
    }

    [Theory]
    [InlineData("mac")]
    [InlineData("sun")]
    [InlineData("bsd")]
    [InlineData("dvh")]
    [InlineData("pc98")]
    public async Task Other_labels_are_made_and_taken_as_they_are(string label)
    {
        var pool = await UseAsync(label);
        await DoneAsync(pool, new BuildPool(null, "disk"));
        await DoneAsync(pool, new BuildPool(null, "disk"));
        await DoneAsync(pool, new StartPool(null, "disk"));
        await RefreshAsync(pool);
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        if (device.Length > 0)
            HostProgram.Run("sh", "-c", $"partx --delete {device} 2>/dev/null; losetup --detach {device}");
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_device_of_a_partition_gets_the_owner_and_mode_that_are_asked_for()
    {
        var pool = await StartAsync("gpt");
        var create = Create(1, 8 * MiB);
        await DoneAsync(pool, create with { Volume = create.Volume with { Permissions = new Permissions(0x1A0, 107, 108) } });
        Assert.Equal("640 107 108", HostProgram.Run("stat", "--format=%a %u %g", Node(1)).Trim());
        Assert.Equal(new Permissions(0x1A0, 107, 108), Assert.Single(await RefreshAsync(pool)).Permissions);
    }

    private async Task HasOpenAsync(int process)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (File.ResolveLinkTarget($"/proc/{process}/fd/0", false)?.FullName != Node(1) || !File.ReadAllText($"/proc/{process}/comm").StartsWith("sleep", StringComparison.Ordinal))
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    private CreateVolume Create(int number, long size, string? format = null) =>
        new(null, "disk", new VolumeDefinition { Name = Name(number), Capacity = size, Format = format });

    private string Name(int number) => PartitionNode.NameOf(Disk, number);

    private string Node(int number) => $"/dev/{Name(number)}";

    private string[] Types() => HostProgram.Run("sh", "-c", $"sfdisk --dump {device} | sed -n 's/.*type=//p' | tr -d ', '").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<PoolDefinition> UseAsync(string label)
    {
        Requires.Tools(["losetup", "parted", "partprobe", "partx", "wipefs", "sfdisk", "blockdev"]);
        device = HostProgram.Run("sh", "-c", $"truncate -s {Size} {folder}/disk; losetup --find --show {folder}/disk").Trim();
        await worker.StartAsync();
        return PoolRules.Complete(new PoolDefinition
        {
            Type = PoolType.Disk,
            Name = "disk",
            Uuid = Guid.NewGuid(),
            Source = new PoolSource { Devices = [new SourceDevice(device)], Format = label },
            Target = new PoolTarget { Path = "/dev" },
        });
    }

    private async Task<PoolDefinition> StartAsync(string label)
    {
        var pool = await UseAsync(label);
        await DoneAsync(pool, new BuildPool(null, "disk"));
        await DoneAsync(pool, new StartPool(null, "disk"));
        return pool;
    }

    private async Task<IReadOnlyList<VolumeDefinition>> RefreshAsync(PoolDefinition pool)
    {
        var end = await DoneAsync(pool, new RefreshPool(null, "disk"));
        return [.. worker.Events.Where(told => told.CommandId == end.CommandId && told.Type == nameof(VolumesObserved)).SelectMany(told => told.Read<VolumesObserved>().Volumes)];
    }

    private async Task<StorageEvent> DoneAsync<T>(PoolDefinition pool, T command, PoolDefinition? source = null)
        where T : ICommand
    {
        var end = await worker.RunAsync(pool, command, source: source);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{command}: {end.Data}");
        return end;
    }

    private async Task<StorageError> FailedAsync<T>(PoolDefinition pool, T command, PoolDefinition? source = null)
        where T : ICommand
    {
        var end = await worker.RunAsync(pool, command, source: source);
        Assert.True(end.Type == nameof(OperationFailed), $"{command}: {end.Type}");
        return end.Read<OperationFailed>().Error;
    }
}
