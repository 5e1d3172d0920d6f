using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

public sealed class ResizeTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("raw", 3 * MiB + 1, 3 * MiB + 1)]
    [InlineData("qcow2", 3 * MiB + 1, 3 * MiB + 512)]
    [InlineData("qed", 3 * MiB, 3 * MiB)]
    [InlineData("raw", MiB, MiB)]
    [InlineData("qcow2", MiB, MiB)]
    public async Task A_volume_has_the_new_capacity_and_its_content_and_the_same_again_changes_nothing(string format, long to, long seen)
    {
        await PrepareAsync(format);
        var resize = new VolumeResize(2 * MiB, to, Allocate: false);
        Assert.Equal(seen, (await ResizeAsync(resize)).Capacity);
        Assert.Equal(seen, (await host.InfoAsync("v", Cancellation)).GetProperty("virtual-size").GetInt64() is var told && format == "raw" ? seen : told);
        Assert.Equal(seen, (await ResizeAsync(resize)).Capacity);
        if (to > 2 * MiB)
            await host.AssertSameContentAsync(format, $"{host.Path}/v", "raw", $"{host.Path}/content", Cancellation);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task The_grown_part_is_allocated_where_that_is_said(string format)
    {
        await PrepareAsync(format);
        var before = SomeContent.Blocks($"{host.Path}/v");
        await ResizeAsync(new VolumeResize(2 * MiB, 4 * MiB, Allocate: true));
        Assert.True(SomeContent.Blocks($"{host.Path}/v") >= before + 2 * MiB);
    }

    [Fact]
    public async Task An_image_with_a_backing_store_grows_and_the_store_is_only_read()
    {
        await PrepareAsync("raw");
        var before = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        await host.CreateAsync(new VolumeDefinition { Name = "top", Format = "qcow2", BackingStore = new BackingStore($"{host.Path}/v") }, Cancellation);
        var grown = await host.Volumes.ResizeVolumeAsync(
            host.Pool, "top", new VolumeResize(2 * MiB, 4 * MiB, Allocate: false), DirPoolHost.NewRun(), Cancellation);
        Assert.Equal((4 * MiB, $"{host.Path}/v"), (grown.Capacity, grown.BackingStore!.Path));
        Assert.Equal(before, await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation));
        await host.AssertSameContentAsync("qcow2", $"{host.Path}/top", "raw", $"{host.Path}/v", Cancellation);
    }

    [Theory]
    [InlineData("vmdk", 4 * MiB, false)]
    [InlineData("vdi", 4 * MiB, false)]
    [InlineData("vpc", 4 * MiB, false)]
    [InlineData("qcow", 4 * MiB, false)]
    [InlineData("qed", MiB, false)]
    [InlineData("qed", 4 * MiB, true)]
    public async Task What_a_format_does_not_do_is_refused_before_anything_is_begun(string format, long to, bool allocate)
    {
        await PrepareAsync(format);
        var before = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        var run = new Run(Guid.NewGuid(), false, _ => throw new InvalidOperationException("It began."), new Progress<OperationProgress>());
        var error = (await Assert.ThrowsAsync<StorageException>(
            () => host.Volumes.ResizeVolumeAsync(host.Pool, "v", new VolumeResize(2 * MiB, to, allocate), run, Cancellation))).Error;
        Assert.Equal(ErrorCodes.Unsupported, error.Code);
        Assert.Equal(before, await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation));
    }

    [Fact]
    public async Task A_growth_that_finds_no_room_leaves_the_volume_as_it_was()
    {
        Requires.Root();
        await host.BuildAsync(Cancellation);
        await host.Tools.RunAsync(new HostCommand(Requires.Tool("mount"), "-t", "tmpfs", "-o", "size=8m", "tmpfs", host.Path), Cancellation);
        try
        {
            SomeContent.Full($"{host.Path}/v", 2 * MiB);
            var error = (await Assert.ThrowsAsync<StorageException>(() => ResizeAsync(new VolumeResize(2 * MiB, 64 * MiB, Allocate: true)))).Error;
            Assert.Equal(ErrorCodes.NoSpace, error.Code);
            Assert.Equal((2 * MiB, 2 * MiB), (new FileInfo($"{host.Path}/v").Length, SomeContent.Blocks($"{host.Path}/v")));
        }
        finally
        {
            await host.Tools.RunAsync(new HostCommand(Requires.Tool("umount"), host.Path), CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_growth_that_is_cancelled_gives_its_blocks_back()
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", 2 * MiB);
        var before = SomeContent.Blocks($"{host.Path}/v");
        using var cancel = new CancellationTokenSource();
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new CancelAtFirst(cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Volumes.ResizeVolumeAsync(
            host.Pool, "v", new VolumeResize(2 * MiB, 2100 * MiB, Allocate: true), run, cancel.Token));
        Assert.Equal(2 * MiB, new FileInfo($"{host.Path}/v").Length);
        // A file system may keep a block of its own.
        Assert.InRange(SomeContent.Blocks($"{host.Path}/v"), before, before + (64 << 10));
    }

    [Fact]
    public async Task A_directory_and_a_link_are_refused()
    {
        await PrepareAsync("raw");
        Directory.CreateDirectory($"{host.Path}/d");
        File.CreateSymbolicLink($"{host.Path}/link", "v");
        foreach (var name in new[] { "d", "link" })
            Assert.Equal(ErrorCodes.Unsupported, (await Assert.ThrowsAsync<StorageException>(() => host.Volumes.ResizeVolumeAsync(
                host.Pool, name, new VolumeResize(2 * MiB, 4 * MiB, Allocate: false), DirPoolHost.NewRun(), Cancellation))).Error.Code);
        Assert.Equal(2 * MiB, new FileInfo($"{host.Path}/v").Length);
    }

    public void Dispose() => host.Dispose();

    private async Task PrepareAsync(string format)
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        SomeContent.Sparse($"{host.Path}/content", 2 * MiB);
        await host.ImportAsync($"{host.Path}/content", format, "v", Cancellation);
    }

    private Task<VolumeDefinition> ResizeAsync(VolumeResize resize) =>
        host.Volumes.ResizeVolumeAsync(host.Pool, "v", resize, DirPoolHost.NewRun(), Cancellation);

    private sealed class CancelAtFirst(CancellationTokenSource cancel) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => cancel.Cancel();
    }
}
