using System.Globalization;
using Storage.Contracts;
using Storage.Worker;
using Xunit;
using static Storage.HostTests.DiskUnderTest;

namespace Storage.HostTests;

/// <summary>Disks with partition tables: loop devices, whose names end in a digit.</summary>
public sealed class DiskPoolTests : IAsyncDisposable
{
    private DiskUnderTest disk = null!;

    [Fact]
    public async Task Partitions_are_aligned_fill_the_smallest_gap_and_have_the_next_free_name()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        foreach (var (number, size) in new[] { (1, 40 * MiB), (2, 10 * MiB), (3, 5 * MiB), (4, 20 * MiB) })
            await disk.DoneAsync(disk.Create(number, size));
        await disk.DoneAsync(new DeleteVolume(null, "disk", disk.Name(1)));
        await disk.DoneAsync(new DeleteVolume(null, "disk", disk.Name(3)));
        var misnamed = await disk.FailedAsync(disk.Create(3, 4 * MiB));
        Assert.Equal((ErrorCodes.InvalidDefinition, "name"), (misnamed.Code, misnamed.Field));
        Assert.Contains($"'{disk.Name(1)}'", misnamed.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.VolumeExists, (await disk.FailedAsync(disk.Create(2, 4 * MiB))).Code);
        await disk.DoneAsync(disk.Create(1, 4 * MiB - 1));
        // Told without a refresh, and so before the next one: three partitions of 34 MiB, and the two tables of the label.
        var space = await disk.Worker.FirstAsync(told => told.Type == nameof(PoolSpaceChanged)
            && told.Read<PoolSpaceChanged>() is { Capacity: 128 * MiB, Allocation: >= 34 * MiB and < 35 * MiB } seen && seen.Available == 128 * MiB - seen.Allocation);
        Assert.Equal(disk.Definition.Uuid, space.Read<PoolSpaceChanged>().PoolId);
        var made = (await disk.RefreshAsync()).Single(volume => volume.Name == disk.Name(1));
        // Where the third one was.
        Assert.Equal([new SourceExtent(disk.Device, 51 * MiB, 55 * MiB)], made.Extents!);
        Assert.Equal((VolumeKind.Block, 4 * MiB, disk.Node(1), null), (made.Type!.Value, made.Capacity!.Value, made.Path, made.Problem));
        Assert.Equal(ErrorCodes.NoSpace, (await disk.FailedAsync(disk.Create(3, 100 * MiB))).Code);
    }

    [Fact]
    public async Task A_partition_that_is_given_no_name_gets_the_next_one_and_its_operation_says_which()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 8 * MiB));
        var unnamed = new VolumeDefinition { Capacity = 4 * MiB };
        var made = await disk.DoneAsync(new CreateVolume(null, "disk", unnamed));
        Assert.Equal($$"""{"volume":"{{disk.Name(2)}}"}""", made.Read<OperationSucceeded>().Result?.GetRawText());
        var copy = await disk.DoneAsync(new CloneVolume(null, "disk", new VolumeDefinition(), disk.Name(1)));
        Assert.Equal($$"""{"volume":"{{disk.Name(3)}}"}""", copy.Read<OperationSucceeded>().Result?.GetRawText());
        Assert.Equal([disk.Name(1), disk.Name(2), disk.Name(3)], (await disk.RefreshAsync()).Select(volume => volume.Name));
        Assert.Equal("volumes[1].name", (await disk.FailedAsync(new CreateVolumes(null, "disk", [disk.Create(4, MiB).Volume, unnamed]))).Field);
    }

    [Fact]
    public async Task What_is_free_of_a_disk_is_told_by_extents_with_a_refresh_and_without_one()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 8 * MiB));
        var refreshed = await disk.DoneAsync(new RefreshPool(null, "disk"));
        var seen = disk.Worker.Events.Single(told => told.CommandId == refreshed.CommandId && told.Type == nameof(PoolRefreshed)).Read<PoolRefreshed>().Observation;
        Assert.Contains(seen.FreeExtents!, free => free.Start == 9 * MiB);
        Assert.Equal(seen.Available, seen.FreeExtents!.Sum(free => free.End - free.Start));
        await disk.DoneAsync(disk.Create(2, 16 * MiB));
        await disk.Worker.FirstAsync(told => told.Type == nameof(PoolSpaceChanged)
            && told.Read<PoolSpaceChanged>() is { FreeExtents: { } free } space && free.Any(extent => extent.Start == 25 * MiB) && free.Sum(extent => extent.End - extent.Start) == space.Available);
    }

    [Fact]
    public async Task A_partition_is_not_made_smaller_within_what_nobody_can_tell_the_length_of_unless_it_is_forced()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 32 * MiB));
        HostProgram.Run("sh", "-c", $"echo label: dos | sfdisk --quiet --no-reread --no-tell-kernel {disk.Node(1)}");
        var shrink = new ResizeVolume(null, "disk", disk.Name(1), 8 * MiB, Shrink: true);
        var refused = await disk.FailedAsync(shrink);
        Assert.Equal((ErrorCodes.InvalidState, "capacity"), (refused.Code, refused.Field));
        Assert.Contains("dos", refused.Message, StringComparison.Ordinal);
        await disk.DoneAsync(shrink with { Force = true });
        Assert.Equal(8 * MiB, Assert.Single(await disk.RefreshAsync()).Capacity);
    }

    [Fact]
    public async Task A_dos_label_has_four_primary_partitions_of_which_one_holds_logical_ones()
    {
        disk = await DiskUnderTest.StartedAsync("dos");
        await disk.DoneAsync(disk.Create(1, 8 * MiB, "linux-lvm"));
        await disk.DoneAsync(disk.Create(2, 60 * MiB, "extended"));
        Assert.Equal(ErrorCodes.UnsupportedConfiguration, (await disk.FailedAsync(disk.Create(3, 8 * MiB, "extended"))).Code);
        await disk.DoneAsync(disk.Create(3, 8 * MiB, "linux-swap"));
        await disk.DoneAsync(disk.Create(4, 8 * MiB, "fat32"));
        await disk.DoneAsync(disk.Create(5, 10 * MiB, "linux"));
        await disk.DoneAsync(disk.Create(6, 10 * MiB));
        var seen = await disk.RefreshAsync();
        Assert.Equal([disk.Name(1), disk.Name(2), disk.Name(3), disk.Name(4), disk.Name(5), disk.Name(6)], seen.Select(volume => volume.Name));
        Assert.Equal(("linux-lvm", "extended"), (seen[0].Format, seen[1].Format));
        Assert.Equal(20 * MiB, seen[1].Allocation);
        Assert.All(seen, volume => Assert.Null(volume.Problem));
        Assert.Equal(["8e", "f", "82", "c", "83", "83"], Types());
        Assert.Equal(ErrorCodes.InvalidState, (await disk.FailedAsync(new DeleteVolume(null, "disk", disk.Name(2)))).Code);
        Assert.Equal(ErrorCodes.InvalidState, (await disk.FailedAsync(new DeleteVolume(null, "disk", disk.Name(5)))).Code);
        Assert.Equal(ErrorCodes.Unsupported, (await disk.FailedAsync(new WipeVolume(null, "disk", disk.Name(2)))).Code);
        Assert.Equal(ErrorCodes.InvalidState, (await disk.FailedAsync(new DeleteVolumes(null, "disk", [disk.Name(2), disk.Name(5)]))).Code);
        await disk.DoneAsync(new DeleteVolumes(null, "disk", [disk.Name(2), disk.Name(5), disk.Name(6)]));
        Assert.Equal([disk.Name(1), disk.Name(3), disk.Name(4)], (await disk.RefreshAsync()).Select(volume => volume.Name));
    }

    [Fact]
    public async Task What_is_on_a_partition_is_copied_kept_when_it_grows_and_overwritten()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 8 * MiB));
        HostProgram.Run("sh", "-c", $"head -c 8388608 /dev/urandom | dd of={disk.Node(1)} bs=1M conv=fsync status=none");
        await disk.DoneAsync(new CloneVolume(null, "disk", new VolumeDefinition { Name = disk.Name(2) }, disk.Name(1)));
        HostProgram.Run("cmp", disk.Node(1), disk.Node(2));
        await disk.DoneAsync(new ResizeVolume(null, "disk", disk.Name(2), 4 * MiB, Delta: true));
        Assert.Equal((12 * MiB).ToString(CultureInfo.InvariantCulture), HostProgram.Run("blockdev", "--getsize64", disk.Node(2)).Trim());
        HostProgram.Run("cmp", "-n", "8388608", disk.Node(1), disk.Node(2));
        Assert.Equal(ErrorCodes.NoSpace, (await disk.FailedAsync(new ResizeVolume(null, "disk", disk.Name(1), 1, Delta: true))).Code);
        await disk.DoneAsync(new ResizeVolume(null, "disk", disk.Name(2), 6 * MiB, Shrink: true));
        HostProgram.Run("cmp", "-n", "6291456", disk.Node(1), disk.Node(2));
        await disk.DoneAsync(new WipeVolume(null, "disk", disk.Name(1)));
        HostProgram.Run("cmp", "-n", "8388608", disk.Node(1), "/dev/zero");
        await disk.DoneAsync(new WipeVolume(null, "disk", disk.Name(2), WipeAlgorithm.Nnsa));
        HostProgram.Run("cmp", "-n", "6291456", disk.Node(2), "/dev/zero");
    }

    [Fact]
    public async Task The_content_of_a_file_and_of_an_image_becomes_a_partition()
    {
        Requires.Tool(QemuImg.Name);
        disk = await DiskUnderTest.StartedAsync("gpt");
        var files = new PoolDefinition { Type = PoolType.Dir, Name = "files", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = $"{disk.Folder}/files" } };
        Directory.CreateDirectory(files.Target.Path!);
        HostProgram.Run("sh", "-c", $"cd {files.Target.Path} && head -c 4194304 /dev/urandom >raw");
        HostProgram.Run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", $"{files.Target.Path}/raw", $"{files.Target.Path}/image");
        var number = 0;
        foreach (var source in new[] { "raw", "image" })
        {
            await disk.DoneAsync(new CloneVolume(null, "disk", new VolumeDefinition { Name = disk.Name(++number), Capacity = 6 * MiB }, source, SourcePool: "files"), files);
            HostProgram.Run("cmp", "-n", "4194304", disk.Node(number), $"{files.Target.Path}/raw");
            HostProgram.Run("sh", "-c", $"tail -c 2097152 {disk.Node(number)} | cmp -n 2097152 - /dev/zero");
        }
        var missing = await disk.FailedAsync(new CloneVolume(null, "disk", new VolumeDefinition { Name = disk.Name(3) }, "none", SourcePool: "files"), files);
        Assert.Equal(ErrorCodes.VolumeNotFound, missing.Code);
        Assert.Equal(2, (await disk.RefreshAsync()).Count);
    }

    [Fact]
    public async Task Nothing_happens_to_a_partition_that_is_used_or_to_a_disk_with_one_also_when_it_is_said()
    {
        Requires.Tool("mkfs.ext4");
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 32 * MiB));
        HostProgram.Run("mkfs.ext4", "-q", disk.Node(1));
        var at = Directory.CreateDirectory($"{disk.Folder}/at").FullName;
        HostProgram.Run("mount", disk.Node(1), at);
        try
        {
            foreach (var force in new[] { false, true })
            {
                var refused = await disk.FailedAsync(new DeleteVolume(null, "disk", disk.Name(1), Force: force));
                Assert.Contains(at, refused.Message, StringComparison.Ordinal);
                Assert.Contains((await disk.FailedAsync(new WipeVolume(null, "disk", disk.Name(1), Force: force))).Code, new[] { ErrorCodes.InUse, ErrorCodes.InvalidState });
                Assert.Equal(ErrorCodes.InvalidState, (await disk.FailedAsync(new BuildPool(null, "disk", Overwrite: true), pool: Dos())).Code);
            }
            // It grows under the file system.
            await disk.DoneAsync(new ResizeVolume(null, "disk", disk.Name(1), 48 * MiB));
            HostProgram.Run("sh", "-c", $"echo kept >{at}/file; sync -f {at}");
        }
        finally
        {
            HostProgram.Run("umount", at);
        }
        HostProgram.Run("e2fsck", "-fp", disk.Node(1));
        HostProgram.Run("resize2fs", disk.Node(1));
        using (var reader = System.Diagnostics.Process.Start("sh", ["-c", $"exec sleep 60 <{disk.Node(1)}"]))
        {
            var held = new DeleteVolume(null, "disk", disk.Name(1));
            await HasOpenAsync(reader.Id);
            Assert.Contains($"sleep ({reader.Id})", (await disk.FailedAsync(held)).Message, StringComparison.Ordinal);
            Assert.Equal(ErrorCodes.InUse, (await disk.FailedAsync(held with { Force = true })).Code);
            reader.Kill();
            await reader.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        await disk.DoneAsync(new DeleteVolume(null, "disk", disk.Name(1)));
    }

    [Fact]
    public async Task A_disk_that_holds_something_else_is_built_only_where_that_is_said()
    {
        disk = await DiskUnderTest.BlankAsync("gpt");
        HostProgram.Run("mkfs.ext4", "-q", "-F", disk.Device);
        Assert.Equal(ErrorCodes.PoolBuilt, (await disk.FailedAsync(new BuildPool(null, "disk"))).Code);
        HostProgram.Run("wipefs", "-q", "--all", disk.Device);
        Assert.Equal(ErrorCodes.ProbeFailed, (await disk.FailedAsync(new BuildPool(null, "disk"))).Code);
        await disk.DoneAsync(new BuildPool(null, "disk", Overwrite: true));
        Assert.Equal(ErrorCodes.PoolBuilt, (await disk.FailedAsync(new BuildPool(null, "disk"), pool: Dos())).Code);
        var other = await disk.FailedAsync(new StartPool(null, "disk"), pool: Dos());
        Assert.Equal((ErrorCodes.ProbeFailed, "source.format"), (other.Code, other.Field));
    }

    [Fact]
    public async Task The_old_file_system_of_a_place_is_not_seen_on_the_new_partition()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 32 * MiB));
        HostProgram.Run("mkfs.ext4", "-q", disk.Node(1));
        await disk.DoneAsync(new DeleteVolume(null, "disk", disk.Name(1)));
        await disk.DoneAsync(disk.Create(1, 32 * MiB));
        Assert.Equal("", HostProgram.Run("wipefs", "--noheadings", disk.Node(1)));
    }

    [Fact]
    public async Task Partitions_that_the_kernel_does_not_know_are_told_to_it_at_the_start()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        await disk.DoneAsync(disk.Create(1, 8 * MiB));
        HostProgram.Run("partx", "--delete", disk.Device);
        Assert.NotNull(Assert.Single(await disk.RefreshAsync()).Problem);
        await disk.DoneAsync(new StartPool(null, "disk"));
        Assert.Null(Assert.Single(await disk.RefreshAsync()).Problem);
    }

    [Theory]
    [InlineData("mac")]
    [InlineData("sun")]
    [InlineData("bsd")]
    [InlineData("dvh")]
    [InlineData("pc98")]
    public async Task Other_labels_are_made_and_taken_as_they_are(string label)
    {
        disk = await DiskUnderTest.BlankAsync(label);
        await disk.DoneAsync(new BuildPool(null, "disk"));
        await disk.DoneAsync(new BuildPool(null, "disk"));
        await disk.DoneAsync(new StartPool(null, "disk"));
        await disk.RefreshAsync();
    }

    public ValueTask DisposeAsync() => disk?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task The_device_of_a_partition_gets_the_owner_and_mode_that_are_asked_for()
    {
        disk = await DiskUnderTest.StartedAsync("gpt");
        var create = disk.Create(1, 8 * MiB);
        await disk.DoneAsync(create with { Volume = create.Volume with { Permissions = new Permissions(0x1A0, 107, 108) } });
        Assert.Equal("640 107 108", HostProgram.Run("stat", "--format=%a %u %g", disk.Node(1)).Trim());
        Assert.Equal(new Permissions(0x1A0, 107, 108), Assert.Single(await disk.RefreshAsync()).Permissions);
    }

    private async Task HasOpenAsync(int process)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (File.ResolveLinkTarget($"/proc/{process}/fd/0", false)?.FullName != disk.Node(1) || !File.ReadAllText($"/proc/{process}/comm").StartsWith("sleep", StringComparison.Ordinal))
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    private PoolDefinition Dos() => disk.Definition with { Source = disk.Definition.Source with { Format = "dos" } };

    private string[] Types() => HostProgram.Run("sh", "-c", $"sfdisk --dump {disk.Device} | sed -n 's/.*type=//p' | tr -d ', '").Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
