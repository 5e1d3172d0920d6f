using System.Globalization;
using Storage.Contracts;
using Xunit;
using static Storage.HostTests.VolumeGroupUnderTest;

namespace Storage.HostTests;

/// <summary>Volumes of volume groups, down to what is on them.</summary>
[Collection(Lab.Name)]
[Trait(Lab.Trait, Lab.Name)]
public sealed class LogicalVolumeTests : IAsyncLifetime
{
    private AgentHost host = null!;
    private VolumeGroupUnderTest group = null!;

    public async ValueTask InitializeAsync()
    {
        host = await LabHost.RunningAsync();
        group = new VolumeGroupUnderTest(host);
        await group.StartAsync();
    }

    [Fact]
    public async Task Volumes_lie_on_the_devices_as_they_were_asked_for()
    {
        await group.CreateAsync(Volume("linear", 5 * MiB));
        await group.CreateAsync(Volume("striped", 16 * MiB, new VolumeLayout(LayoutKind.Striped, StripeSize: 65536)));
        await group.CreateAsync(Volume("twice", 8 * MiB, new VolumeLayout(LayoutKind.Raid1)));
        await group.CreateAsync(Volume("mirror", 8 * MiB, new VolumeLayout(LayoutKind.Mirror)));
        await group.CreateAsync(Volume("spread", 8 * MiB, new VolumeLayout(LayoutKind.Raid0)));
        var seen = (await group.RefreshAsync()).ToDictionary(volume => volume.Name);
        Assert.Equal(["linear", "mirror", "spread", "striped", "twice"], seen.Keys);
        Assert.All(seen.Values, volume => Assert.Null(volume.Problem));
        Assert.Equal((8 * MiB, 8 * MiB, Path("linear"), VolumeKind.Block), (seen["linear"].Capacity!.Value, seen["linear"].Allocation!.Value, seen["linear"].Path, seen["linear"].Type!.Value));
        Assert.Equal([new SourceExtent(group.Devices[0], 0, 8 * MiB)], seen["linear"].Extents!);
        Assert.Equal(new VolumeLayout(LayoutKind.Striped, 2, 65536), seen["striped"].Layout);
        Assert.Equal((8 * MiB, 2), (seen["striped"].Extents![0].End - seen["striped"].Extents![0].Start, seen["striped"].Extents!.Select(extent => extent.Device).Distinct().Count()));
        Assert.Equal(new VolumeLayout(LayoutKind.Raid1, Mirrors: 1), seen["twice"].Layout);
        Assert.Equal(new VolumeLayout(LayoutKind.Mirror, Mirrors: 1), seen["mirror"].Layout! with { DataPercent = null });
        Assert.Equal([8 * MiB, 8 * MiB], seen["twice"].Extents!.Select(extent => extent.End - extent.Start));
        Assert.Equal(2, seen["spread"].Layout!.Stripes);
        var full = await group.FailedAsync(new CreateVolume(null, Name, Volume("big", 4096 * MiB)));
        Assert.Equal((ErrorCodes.NoSpace, "capacity"), (full.Code, full.Field));
        // The devices that it would take are more than there are.
        Assert.Equal(ErrorCodes.ToolFailed, (await group.FailedAsync(new CreateVolume(null, Name, Volume("wide", 8 * MiB, new VolumeLayout(LayoutKind.Raid6))))).Code);
        Assert.Equal(ErrorCodes.VolumeExists, (await group.FailedAsync(new CreateVolume(null, Name, Volume("linear", 4 * MiB)))).Code);
        Assert.Equal(5, (await group.RefreshAsync()).Count);
    }

    [Fact]
    public async Task A_volume_grows_under_a_mounted_file_system_and_is_made_smaller_when_nobody_uses_it()
    {
        await group.CreateAsync(Volume("data", 40 * MiB));
        var at = group.Folder + "/at";
        host.Shell($"mkfs.ext4 -q {Path("data")}; mkdir {at}; mount {Path("data")} {at}; echo content >{at}/file");
        Assert.Equal(80 * MiB, group.Told<VolumeResized>(await group.DoneAsync(new ResizeVolume(null, Name, "data", 77 * MiB))).Volume.Capacity);
        host.Shell($"resize2fs {Path("data")} >&2; umount {at}; mount {Path("data")} {at}");
        Assert.True(host.FileSystem(at).Total > 60 * MiB);
        Assert.Equal("content", host.Shell($"cat {at}/file").Trim());
        Assert.Equal(ErrorCodes.InUse, (await group.FailedAsync(new ResizeVolume(null, Name, "data", 40 * MiB, Shrink: true))).Code);
        host.Shell($"umount {at}");
        Assert.Equal(ErrorCodes.InvalidArgument, (await group.FailedAsync(new ResizeVolume(null, Name, "data", 40 * MiB))).Code);
        // There is a file system of 80 MiB on it.
        Assert.Equal(ErrorCodes.InvalidState, (await group.FailedAsync(new ResizeVolume(null, Name, "data", 40 * MiB, Shrink: true))).Code);
        host.Shell($"e2fsck -fp {Path("data")} >&2; resize2fs {Path("data")} 40M >&2");
        await group.DoneAsync(new ResizeVolume(null, Name, "data", 40 * MiB, Shrink: true));
        Assert.Equal("content", host.Shell($"mount {Path("data")} {at}; cat {at}/file; umount {at}").Trim());
        Assert.Equal((40 * MiB).ToString(CultureInfo.InvariantCulture), host.Shell($"blockdev --getsize64 {Path("data")}").Trim());
        Assert.Equal(ErrorCodes.NoSpace, (await group.FailedAsync(new ResizeVolume(null, Name, "data", 4096 * MiB))).Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_snapshot_is_merged_back_and_the_volume_has_its_content_again(bool thin)
    {
        if (thin)
            await group.CreateAsync(Volume("blocks", 100 * MiB, new VolumeLayout(LayoutKind.ThinPool)));
        await group.CreateAsync(Volume("data", 40 * MiB, thin ? new VolumeLayout(LayoutKind.Thin) : null));
        var at = group.Folder + "/at";
        host.Shell($"mkfs.ext4 -q {Path("data")}; mkdir {at}; mount {Path("data")} {at}; echo before >{at}/file; sync");
        await group.CreateAsync(Snapshot("then", "data"));
        var seen = (await group.RefreshAsync()).ToDictionary(volume => volume.Name);
        Assert.Equal((Path("data"), 40 * MiB), (seen["then"].BackingStore!.Path, seen["then"].Capacity));
        Assert.Equal((LayoutKind.Snapshot, thin ? "blocks" : null), (seen["then"].Layout!.Kind, seen["then"].Layout!.ThinPool));
        Assert.Null(seen["then"].Problem);
        host.Shell($"echo after >{at}/file; sync");
        Assert.Equal(ErrorCodes.InUse, (await group.FailedAsync(new MergeVolume(null, Name, "data", "then"))).Code);
        host.Shell($"umount {at}");
        Assert.Equal(ErrorCodes.InvalidArgument, (await group.FailedAsync(new MergeVolume(null, Name, "then", "data"))).Code);
        Assert.Equal(ErrorCodes.VolumeNotFound, (await group.FailedAsync(new MergeVolume(null, Name, "data", "never"))).Code);
        if (!thin)
            Assert.Contains("then", (await group.FailedAsync(new DeleteVolume(null, Name, "data", Force: true))).Message, StringComparison.Ordinal);
        var merged = await group.DoneAsync(new MergeVolume(null, Name, "data", "then"));
        Assert.Equal("data", group.Told<VolumeMerged>(merged).Volume.Name);
        Assert.Equal("then", group.Told<VolumeDeleted>(merged).Name);
        Assert.Equal("before", host.Shell($"mount {Path("data")} {at}; cat {at}/file; umount {at}").Trim());
        Assert.DoesNotContain(await group.RefreshAsync(), volume => volume.Name == "then");
        await group.CreateAsync(Snapshot("again", "data"));
        await group.DoneAsync(new DeleteVolumes(null, Name, thin ? ["blocks", "data", "again"] : ["data", "again"]));
        Assert.Empty(await group.RefreshAsync());
    }

    [Fact]
    public async Task A_snapshot_whose_store_is_full_is_one_with_a_problem()
    {
        await group.CreateAsync(Volume("data", 40 * MiB));
        await group.CreateAsync(Snapshot("small", "data", 4 * MiB));
        host.Shell($"dd if=/dev/urandom of={Path("data")} bs=1M count=20 oflag=direct status=none");
        var seen = await group.SeeAsync("small");
        Assert.Contains("full", seen.Problem, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.InvalidState, (await group.FailedAsync(new MergeVolume(null, Name, "data", "small"))).Code);
        await group.DoneAsync(new DeleteVolume(null, Name, "small"));
    }

    [Fact]
    public async Task What_is_sparse_takes_its_blocks_from_a_thin_pool_as_it_is_written_to()
    {
        var sparse = Volume("sparse", 400 * MiB, allocation: 0);
        var without = await group.FailedAsync(new CreateVolume(null, Name, sparse));
        Assert.Equal((ErrorCodes.UnsupportedConfiguration, "layout.thinPool"), (without.Code, without.Field));
        await group.CreateAsync(Volume("blocks", 40 * MiB, new VolumeLayout(LayoutKind.ThinPool)));
        await group.CreateAsync(sparse);
        host.Shell($"dd if=/dev/urandom of={Path("sparse")} bs=1M count=10 oflag=direct status=none");
        var seen = (await group.RefreshAsync()).ToDictionary(volume => volume.Name);
        Assert.Equal((LayoutKind.Thin, "blocks", 400 * MiB), (seen["sparse"].Layout!.Kind, seen["sparse"].Layout!.ThinPool, seen["sparse"].Capacity));
        Assert.InRange(seen["sparse"].Allocation!.Value, 9 * MiB, 11 * MiB);
        Assert.Equal(25, seen["blocks"].Layout!.DataPercent);
        Assert.InRange(seen["blocks"].Layout!.MetadataPercent!.Value, 1, 50);
        Assert.Null(seen["blocks"].Path);
        Assert.Equal(ErrorCodes.NoSpace, (await group.FailedAsync(new WipeVolume(null, Name, "sparse"))).Code);
        Assert.Equal(ErrorCodes.InvalidState, (await group.FailedAsync(new DeleteVolume(null, Name, "blocks"))).Code);
        await group.DoneAsync(new WipeVolume(null, Name, "sparse", WipeAlgorithm.Trim));
        Assert.Equal(0, (await group.SeeAsync("sparse")).Allocation);
        // Full: what is written is refused by the kernel, and the pool says so.
        host.Shell($"lvm lvchange --errorwhenfull y {Name}/blocks >&2; dd if=/dev/urandom of={Path("sparse")} bs=1M count=60 oflag=direct status=none || true");
        // Nobody has asked.
        await host.SeenAsync(told => told.Type == nameof(VolumesSeen) && told.Read<VolumesSeen>() is { Volumes: [{ Name: "blocks", Layout.DataPercent: 100 }] } seen && seen.PoolId == group.Pool.Uuid);
        Assert.Equal("It has no room left, or has failed.", (await group.SeeAsync("blocks")).Problem);
        await group.DoneAsync(new ResizeVolume(null, Name, "blocks", 80 * MiB));
        Assert.Null((await group.SeeAsync("blocks")).Problem);
        await group.DoneAsync(new DeleteVolume(null, Name, "sparse"));
        await group.DoneAsync(new DeleteVolume(null, Name, "blocks"));
        await group.DoneAsync(new StopPool(null, Name));
        await group.DoneAsync(new DeletePool(null, Name));
    }

    [Fact]
    public async Task Contents_come_from_volumes_of_all_layouts_and_are_overwritten()
    {
        await group.CreateAsync(Volume("first", 8 * MiB));
        host.Shell($"dd if=/dev/urandom of={Path("first")} bs=1M count=8 oflag=direct status=none");
        await group.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = "copy", Layout = new VolumeLayout(LayoutKind.Linear) }, "first"));
        host.Shell($"cmp {Path("first")} {Path("copy")}");
        await group.CreateAsync(Volume("blocks", 60 * MiB, new VolumeLayout(LayoutKind.ThinPool)));
        await group.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = "thin", Layout = new VolumeLayout(LayoutKind.Thin) }, "first"));
        await group.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = "shared" }, "thin", Reflink: true));
        host.Shell($"cmp {Path("first")} {Path("thin")}; cmp {Path("first")} {Path("shared")}");
        Assert.Equal(ErrorCodes.Unsupported, (await group.FailedAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = "no" }, "first", Reflink: true))).Code);
        Assert.DoesNotContain(await group.RefreshAsync(), volume => volume.Name == "no" || volume.Problem is not null);
        await group.DoneAsync(new WipeVolume(null, Name, "copy", WipeAlgorithm.Nnsa));
        host.Shell($"cmp -n 8388608 {Path("copy")} /dev/zero");
    }

    [Fact]
    public async Task What_is_encrypted_is_opened_with_its_passphrase_and_a_file_of_another_family_has_the_content()
    {
        var luks = new VolumeEncryption("luks", Secrets: [new SecretReference(Usage: AgentHost.SecretUsage, Type: "passphrase")]);
        await group.CreateAsync(Volume("plain", 8 * MiB));
        host.Shell($"dd if=/dev/urandom of={Path("plain")} bs=1M count=8 oflag=direct status=none");
        await group.DoneAsync(new CloneVolume(null, Name, new VolumeDefinition { Name = "sealed", Encryption = luks }, "plain"));
        var sealedVolume = await group.SeeAsync("sealed");
        Assert.Equal(("luks", 12 * MiB), (sealedVolume.Encryption!.Format, sealedVolume.Capacity!.Value));
        host.Shell($"""
            cd {group.Folder}
            cat >passphrase <<'END'
            {AgentHost.Password}
            END
            truncate -s -1 passphrase
            qemu-img convert --object secret,id=s,file=passphrase --image-opts -O raw driver=luks,key-secret=s,file.filename={Path("sealed")} opened >&2
            cmp -n 8388608 opened {Path("plain")}
            mkdir files
            """);
        var files = PoolRules.Complete(new PoolDefinition { Type = PoolType.Dir, Name = "files", Uuid = Guid.NewGuid(), Target = new PoolTarget { Path = $"{group.Folder}/files" } });
        var plain = await group.SeeAsync("plain");
        var copy = new CloneVolume(null, "files", new VolumeDefinition { Name = "copy", Format = "qcow2" }, "plain", Name);
        var end = await host.RunAsync(files, copy, source: group.Pool, sourceVolume: plain);
        Assert.True(end.Type == nameof(OperationSucceeded), $"{end.Data}");
        host.Shell($"qemu-img compare -f raw -F qcow2 {Path("plain")} {files.Target.Path}/copy >&2");
        // Of another UUID is another volume, whatever its name.
        var other = await host.RunAsync(files, copy with { Volume = copy.Volume with { Name = "no" } }, source: group.Pool, sourceVolume: plain with { Key = sealedVolume.Key });
        Assert.Equal(ErrorCodes.VolumeNotFound, other.Read<OperationFailed>().Error.Code);
    }

    public ValueTask DisposeAsync()
    {
        group.Dispose();
        return ValueTask.CompletedTask;
    }
}
