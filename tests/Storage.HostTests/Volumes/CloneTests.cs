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
    public async Task The_kernel_copies_where_no_blocks_of_its_own_are_asked_for()
    {
        await PrepareAsync();
        SomeContent.Full($"{host.Path}/big", 64 << 20);
        // Bytes that pass through the worker do so by the MiB, and each time is told; the kernel is given 8 MiB at a time.
        Assert.InRange(await PartsAsync(new VolumeDefinition { Name = "by-the-kernel", Allocation = 0 }), 1, 16);
        Assert.True(await PartsAsync(new VolumeDefinition { Name = "by-hand" }) >= 64, "The kernel copied what was to have blocks of its own.");
        Assert.Equal(await ReadAsync("big"), await ReadAsync("by-the-kernel"));

        async Task<int> PartsAsync(VolumeDefinition volume)
        {
            var parts = 0;
            await host.CloneAsync(volume, host.Source("big"), Cancellation, run: new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Seen(_ => parts++)));
            return parts;
        }
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

    public void Dispose() => host.Dispose();

    private static async Task<StorageError> RefusedAsync(Func<Task> action) => (await Assert.ThrowsAsync<StorageException>(action)).Error;

    private async Task PrepareAsync()
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        SomeContent.Sparse($"{host.Path}/content", Size);
    }

    private Task<byte[]> ReadAsync(string volume) => File.ReadAllBytesAsync($"{host.Path}/{volume}", Cancellation);

    private sealed class Seen(Action<OperationProgress> see) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => see(value);
    }
}
