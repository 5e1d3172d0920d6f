using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

public sealed class CloneTests : IDisposable
{
    private const long Size = 4 << 20;
    private static readonly string[] Formats = ["raw", "qcow2", "qcow", "qed", "vdi", "vmdk", "vpc"];

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Sources() => [.. Formats];

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task A_clone_of_any_format_has_the_content_in_any_other(string format)
    {
        await PrepareAsync();
        await host.ImportAsync(host.Path + "/content", format, "source", Cancellation);
        foreach (var wanted in Formats)
        {
            var made = await host.CloneAsync(new VolumeDefinition { Name = wanted, Format = wanted }, host.Source("source"), Cancellation);
            Assert.Equal(wanted, made.Format);
            Assert.True(made.Capacity >= Size, $"{format} to {wanted}: {made.Capacity}");
            await host.AssertSameContentAsync(format, $"{host.Path}/source", wanted, $"{host.Path}/{wanted}", Cancellation);
        }
        Assert.Equal(Formats.Append("content").Append("source").Order(StringComparer.Ordinal), host.Names);
    }

    [Fact]
    public async Task Holes_stay_holes_and_an_allocation_is_honoured()
    {
        await PrepareAsync();
        var sparse = await host.CloneAsync(new VolumeDefinition { Name = "sparse", Allocation = 0 }, host.Source("content"), Cancellation);
        Assert.Equal((Size, SomeContent.Blocks($"{host.Path}/content")), (sparse.Capacity, sparse.Allocation!.Value));
        Assert.True(sparse.Allocation < Size);
        var full = await host.CloneAsync(new VolumeDefinition { Name = "full" }, host.Source("content"), Cancellation);
        // A file system may count a block of its own.
        Assert.InRange(full.Allocation!.Value, Size, Size + (64 << 10));
        Assert.Equal(await ReadAsync("content"), await ReadAsync("sparse"));
        Assert.Equal(await ReadAsync("content"), await ReadAsync("full"));
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    [InlineData("vmdk")]
    public async Task A_clone_is_never_smaller_than_its_source_and_may_be_larger(string format)
    {
        await PrepareAsync();
        await host.ImportAsync(host.Path + "/content", format, "source", Cancellation);
        Assert.Equal(Size, (await host.CloneAsync(new VolumeDefinition { Name = "small", Capacity = 1 }, host.Source("source"), Cancellation)).Capacity);
        var larger = await host.CloneAsync(new VolumeDefinition { Name = "large", Capacity = 2 * Size, Allocation = 0 }, host.Source("source"), Cancellation);
        Assert.Equal((2 * Size, format), (larger.Capacity, larger.Format));
        await host.AssertSameContentAsync(format, $"{host.Path}/source", format, $"{host.Path}/large", Cancellation);
    }

    [Fact]
    public async Task A_clone_takes_its_content_from_another_pool_and_from_behind_an_image()
    {
        Requires.Tool("qemu-img");
        await PrepareAsync();
        var other = host.Defined("other");
        await host.Backend.BuildAsync(other, overwrite: false, DirPoolHost.NewRun(), Cancellation);
        SomeContent.Sparse($"{other.Target.Path}/base", Size);
        await host.Volumes.CreateVolumeAsync(
            other, new VolumeDefinition { Name = "top", Format = "qcow2", BackingStore = new BackingStore("base", "raw") }, DirPoolHost.NewRun(), Cancellation);
        var made = await host.CloneAsync(new VolumeDefinition { Name = "flat" }, host.Source("top", other), Cancellation);
        Assert.Equal(("qcow2", Size), (made.Format, made.Capacity));
        Assert.Null(made.BackingStore);
        await host.AssertSameContentAsync("qcow2", $"{host.Path}/flat", "raw", $"{other.Target.Path}/base", Cancellation);
    }

    [Theory]
    [InlineData("/etc/passwd", "raw")]
    [InlineData("../outside", "raw")]
    [InlineData("content", null)]
    [InlineData("nbd://somewhere/x", "raw")]
    [InlineData("json:{\"driver\":\"null-co\"}", "raw")]
    [InlineData("content", "qcow2")]
    public async Task What_a_header_names_is_not_opened_unless_it_is_an_image_of_the_pool(string backing, string? format)
    {
        await PrepareAsync();
        await File.WriteAllBytesAsync(Path.Combine(host.Path, "..", "outside"), new byte[Size], Cancellation);
        await host.ImportAsync(host.Path + "/content", "qcow2", "forged", Cancellation);
        Forge($"{host.Path}/forged", backing, format);
        Assert.Equal(backing, LocalVolumeFiles.Read(host.Path, "forged")!.BackingStore!.Path);
        foreach (var wanted in new[] { "qcow2", "raw" })
        {
            var error = await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy", Format = wanted }, host.Source("forged"), Cancellation));
            Assert.Equal(ErrorCodes.Unsupported, error.Code);
        }
        Assert.Equal(["content", "forged"], host.Names);
    }

    [Fact]
    public async Task A_link_to_outside_the_pool_is_not_copied()
    {
        await PrepareAsync();
        File.CreateSymbolicLink($"{host.Path}/link", "/etc/passwd");
        Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("link"), Cancellation))).Code);
        Assert.Equal(ErrorCodes.VolumeNotFound, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("gone"), Cancellation))).Code);
    }

    [Fact]
    public async Task An_image_with_its_data_in_another_file_is_refused()
    {
        await PrepareAsync();
        await host.Tools.RunAsync(
            new HostCommand(Requires.Tool("qemu-img"), "create", "-f", "qcow2", "-o", $"data_file={host.Path}/data", $"{host.Path}/split", "1M"), Cancellation);
        Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("split"), Cancellation))).Code);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task A_clone_that_is_cancelled_in_the_middle_leaves_nothing(string format)
    {
        await PrepareAsync();
        SomeContent.Full($"{host.Path}/big", 64 << 20);
        using var cancel = new CancellationTokenSource();
        // Told within the copy, when something has been written.
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Seen(progress =>
        {
            if (progress.Percent is > 0 and < 100)
                cancel.Cancel();
        }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => host.CloneAsync(new VolumeDefinition { Name = "copy", Format = format }, host.Source("big"), cancel.Token, run: run));
        Assert.Equal(["big", "content"], host.Names);
    }

    [Fact]
    public async Task A_resumed_clone_removes_the_half_and_adopts_the_whole_also_when_its_source_is_gone()
    {
        await PrepareAsync();
        var id = Guid.NewGuid();
        await File.WriteAllTextAsync($"{host.Path}/{VolumeName.Temporary(id, "copy")}", "half", Cancellation);
        var resumed = new Run(id, true, _ => Task.CompletedTask, new Progress<OperationProgress>());
        await host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("content"), Cancellation, run: resumed);
        Assert.Equal(["content", "copy"], host.Names);
        File.Delete($"{host.Path}/content");
        var again = new Run(id, true, _ => Task.CompletedTask, new Progress<OperationProgress>()) { Plan = resumed.Plan };
        Assert.Equal(Size, (await host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("content"), Cancellation, run: again)).Capacity);
        await File.WriteAllTextAsync($"{host.Path}/{VolumeName.Temporary(id, "other")}", "half", Cancellation);
        await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "other" }, host.Source("content"), Cancellation, run: new Run(id, true, _ => Task.CompletedTask, new Progress<OperationProgress>())));
        Assert.Equal(["copy"], host.Names);
    }

    [Fact]
    public async Task Progress_counts_the_bytes_to_the_end()
    {
        await PrepareAsync();
        SomeContent.Full($"{host.Path}/big", 40 << 20);
        var told = new List<OperationProgress>();
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Seen(told.Add));
        await host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("big"), Cancellation, run: run);
        Assert.Equal(told.Select(progress => progress.BytesDone).Order(), told.Select(progress => progress.BytesDone));
        Assert.Equal((40L << 20, 40L << 20), (told[^1].BytesDone!.Value, told[^1].BytesTotal!.Value));
        Assert.True(told.Count > 3);
    }

    [Theory]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    public async Task Blocks_are_shared_where_the_file_system_can_and_own_ones_are_not_asked_for(string fileSystem)
    {
        await host.BuildAsync(Cancellation);
        await using var disk = await ReflinkDisk.MountAsync(fileSystem, host.Path, Cancellation);
        SomeContent.Full($"{host.Path}/content", 32 << 20);
        foreach (var (name, capacity, reflink, shared) in new[] { ("told", 0L, true, true), ("larger", 64L << 20, true, true), ("thin", 0L, false, true), ("own", 0L, false, false) })
        {
            var before = await UsedAsync();
            var volume = new VolumeDefinition { Name = name, Capacity = capacity == 0 ? null : capacity, Allocation = name == "own" ? null : 0 };
            var made = await host.CloneAsync(volume, host.Source("content"), Cancellation, reflink);
            Assert.Equal(Math.Max(capacity, 32 << 20), made.Capacity);
            Assert.Equal(await ReadAsync("content"), (await ReadAsync(name))[..(32 << 20)]);
            var taken = await UsedAsync() - before;
            Assert.True(shared ? taken < 8 << 20 : taken > 24 << 20, $"{name} took {taken}");
        }
    }

    [Fact]
    public async Task Sharing_blocks_is_refused_where_the_file_system_cannot_and_for_another_format()
    {
        Requires.Root();
        await host.BuildAsync(Cancellation);
        await host.Tools.RunAsync(new HostCommand(Requires.Tool("mount"), "-t", "tmpfs", "-o", "size=64m", "tmpfs", host.Path), Cancellation);
        try
        {
            SomeContent.Sparse($"{host.Path}/content", Size);
            foreach (var format in new[] { "raw", "qcow2" })
                Assert.Equal(ErrorCodes.Unsupported, (await RefusedAsync(() => host.CloneAsync(
                    new VolumeDefinition { Name = "copy", Format = format }, host.Source("content"), Cancellation, reflink: true))).Code);
            Assert.Equal(["content"], host.Names);
            SomeContent.Full($"{host.Path}/big", 40 << 20);
            Assert.Equal(ErrorCodes.NoSpace, (await RefusedAsync(() => host.CloneAsync(new VolumeDefinition { Name = "copy" }, host.Source("big"), Cancellation))).Code);
            Assert.Equal(["big", "content"], host.Names);
        }
        finally
        {
            await host.Tools.RunAsync(new HostCommand(Requires.Tool("umount"), host.Path), CancellationToken.None);
        }
    }

    public void Dispose() => host.Dispose();

    private static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    /// <summary>Writes a backing file into a qcow2 header, as a guest can that has the file as its raw disk.</summary>
    private static void Forge(string path, string backing, string? format)
    {
        var bytes = File.ReadAllBytes(path);
        var name = System.Text.Encoding.UTF8.GetBytes(backing);
        var at = 0x1000;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), (ulong)at);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), (uint)name.Length);
        name.CopyTo(bytes, at);
        var extensions = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(100));
        bytes.AsSpan(extensions, 64).Clear();
        if (format is not null)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(extensions), 0xE2792ACA);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(extensions + 4), format.Length);
            System.Text.Encoding.UTF8.GetBytes(format).CopyTo(bytes, extensions + 8);
        }
        File.WriteAllBytes(path, bytes);
    }

    private async Task PrepareAsync()
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        SomeContent.Sparse($"{host.Path}/content", Size);
    }

    private Task<byte[]> ReadAsync(string volume) => File.ReadAllBytesAsync($"{host.Path}/{volume}", Cancellation);

    private async Task<long> UsedAsync()
    {
        await host.Tools.RunAsync(new HostCommand("sync", "-f", host.Path), Cancellation);
        var drive = new DriveInfo(host.Path);
        return drive.TotalSize - drive.TotalFreeSpace;
    }

    private sealed class Seen(Action<OperationProgress> see) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => see(value);
    }
}
