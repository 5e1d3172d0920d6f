using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

public sealed class WipeTests : IDisposable
{
    /// <summary>More than a chunk, and no multiple of anything.</summary>
    private const int Size = (4 << 20) + 1001;

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<WipeAlgorithm> Algorithms() => [.. Enum.GetValues<WipeAlgorithm>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Every_byte_is_overwritten_and_the_size_stays(WipeAlgorithm algorithm)
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", Size);
        var before = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        var told = new List<OperationProgress>();
        var wiped = await WipeAsync("v", algorithm, new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Told(told)));
        Assert.Equal(("raw", (long)Size), (wiped.Format, wiped.Capacity));
        var after = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        Assert.Equal(Size, after.Length);
        // Random bytes happen to be those of before once in 256 times.
        Assert.InRange(before.Zip(after).Count(pair => pair.First == pair.Second), 0, Size / 128);
        if (Known(algorithm) is { } known)
            Assert.All(after.Chunk(1 << 20), chunk => Assert.Equal(-1, chunk.AsSpan().IndexOfAnyExcept(known)));
        else
            Assert.True(after.Distinct().Count() == 256);
        Assert.Equal(100, told[^1].Percent!.Value, precision: 6);
        Assert.Equal(told.Select(progress => progress.BytesDone).Order(), told.Select(progress => progress.BytesDone));
        if (algorithm == WipeAlgorithm.Gutmann)
            Assert.Equal(36L * Size, told[^1].BytesTotal);
        if (algorithm == WipeAlgorithm.Nnsa)
            Assert.Equal(4L * Size, told[^1].BytesTotal);
    }

    [Theory]
    [InlineData(WipeAlgorithm.Zero, false)]
    [InlineData(WipeAlgorithm.Trim, false)]
    [InlineData(WipeAlgorithm.Random, true)]
    public async Task A_file_with_holes_gives_its_blocks_back_or_gets_all_of_them(WipeAlgorithm algorithm, bool full)
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Sparse($"{host.Path}/v", 4 << 20);
        var wiped = await WipeAsync("v", algorithm);
        Assert.Equal((4L << 20, full ? 4L << 20 : 0), (wiped.Capacity, wiped.Allocation));
    }

    [Fact]
    public async Task A_file_of_a_thousand_bytes_has_a_thousand_bytes_afterwards()
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", 1000);
        SomeContent.Full($"{host.Path}/empty", 0);
        Assert.Equal(1000, (await WipeAsync("v", WipeAlgorithm.Zero)).Capacity);
        Assert.Equal(0, (await WipeAsync("empty", WipeAlgorithm.Bsi)).Capacity);
    }

    [Fact]
    public async Task An_image_is_raw_afterwards()
    {
        Requires.Tool("qemu-img");
        await host.BuildAsync(Cancellation);
        await host.CreateAsync(new VolumeDefinition { Name = "v", Format = "qcow2", Capacity = 1 << 20 }, Cancellation);
        var length = new FileInfo($"{host.Path}/v").Length;
        var wiped = await WipeAsync("v", WipeAlgorithm.Dod);
        Assert.Equal(("raw", length), (wiped.Format, wiped.Capacity));
    }

    [Fact]
    public async Task A_directory_and_a_link_are_refused_and_what_the_link_points_to_stays()
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", 4096);
        var before = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        Directory.CreateDirectory($"{host.Path}/d");
        File.CreateSymbolicLink($"{host.Path}/link", "v");
        foreach (var name in new[] { "d", "link" })
            Assert.Equal(ErrorCodes.Unsupported, (await Assert.ThrowsAsync<StorageException>(() => WipeAsync(name, WipeAlgorithm.Zero))).Error.Code);
        Assert.Equal(ErrorCodes.VolumeNotFound, (await Assert.ThrowsAsync<StorageException>(() => WipeAsync("gone", WipeAlgorithm.Zero))).Error.Code);
        Assert.Equal(before, await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation));
    }

    [Fact]
    public async Task A_wipe_is_cancelled_in_the_middle_of_a_pass()
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", 16 << 20);
        var before = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        using var cancel = new CancellationTokenSource();
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new CancelAtFirst(cancel));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Volumes.WipeVolumeAsync(host.Pool, "v", WipeAlgorithm.Zero, run, cancel.Token));
        var after = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        Assert.Equal(before.Length, after.Length);
        Assert.NotEqual(before[..4096], after[..4096]);
        Assert.Equal(before[^4096..], after[^4096..]);
    }

    [Theory]
    [InlineData(WipeAlgorithm.Zero)]
    [InlineData(WipeAlgorithm.Random)]
    [InlineData(WipeAlgorithm.Schneier)]
    public async Task A_wipe_that_reads_back_otherwise_than_it_was_written_fails_and_says_where(WipeAlgorithm algorithm)
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", Size);
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new AfterBytes((long)Size * WipePasses.Of(algorithm).Count, () =>
        {
            using var file = File.Open($"{host.Path}/v", FileMode.Open);
            file.Position = 4_000_000;
            var other = (byte)~file.ReadByte();
            file.Position = 4_000_000;
            file.WriteByte(other);
        }));
        var error = (await Assert.ThrowsAsync<StorageException>(
            () => host.Volumes.WipeVolumeAsync(host.Pool, "v", algorithm, run, Cancellation))).Error;
        Assert.Equal(ErrorCodes.HostFailure, error.Code);
        Assert.Contains("4000000", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => host.Dispose();

    private static byte? Known(WipeAlgorithm algorithm) => algorithm switch
    {
        WipeAlgorithm.Zero or WipeAlgorithm.Nnsa or WipeAlgorithm.Trim => 0,
        WipeAlgorithm.Dod => 0xFF,
        WipeAlgorithm.Bsi => 0x7F,
        _ => null,
    };

    private Task<VolumeDefinition> WipeAsync(string volume, WipeAlgorithm algorithm, Run? run = null) =>
        host.Volumes.WipeVolumeAsync(host.Pool, volume, algorithm, run ?? DirPoolHost.NewRun(), Cancellation);

    private sealed class Told(List<OperationProgress> told) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => told.Add(value);
    }

    private sealed class AfterBytes(long bytes, Action act) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value)
        {
            if (value.BytesDone == bytes)
                act();
        }
    }

    private sealed class CancelAtFirst(CancellationTokenSource cancel) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => cancel.Cancel();
    }
}
