using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.HostTests;

/// <summary>Wipes that were cut off and go on.</summary>
public sealed class WipeResumeTests : IDisposable
{
    /// <summary>More than a chunk, and no multiple of anything.</summary>
    private const int Small = (4 << 20) + 1001;

    /// <summary>More than is brought to the disk at once.</summary>
    private const int Large = 70 << 20;

    private readonly DirPoolHost host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wipe_that_was_cut_off_goes_on_with_its_pass()
    {
        await PutAsync(Small);
        var plan = await CutOffAsync(WipeAlgorithm.Bsi, checkpoint: 5);
        var told = new List<OperationProgress>();
        await ResumeAsync(plan, WipeAlgorithm.Bsi, told.Add);
        Assert.InRange(told[0].BytesDone!.Value, (4L * Small) + 1, 5L * Small);
        Assert.Equal((10L * Small, 10L * Small), (told[^1].BytesDone!.Value, told[^1].BytesTotal!.Value));
        Assert.Equal(-1, (await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation)).AsSpan().IndexOfAnyExcept((byte)0x7F));
    }

    [Fact]
    public async Task What_was_overwritten_before_is_not_written_again_and_is_read_back_all_the_same()
    {
        await PutAsync(Large);
        var plan = await CutOffAsync(WipeAlgorithm.Zero, checkpoint: 1);
        Plant(4_000_000);
        var error = (await Assert.ThrowsAsync<StorageException>(() => ResumeAsync(plan, WipeAlgorithm.Zero))).Error;
        Assert.Equal(ErrorCodes.HostFailure, error.Code);
        Assert.Contains("4000000", error.Message, StringComparison.Ordinal);
        var after = await File.ReadAllBytesAsync($"{host.Path}/v", Cancellation);
        Assert.Equal(4_000_000, after.AsSpan().IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, after.AsSpan(4_000_001).IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(WipeAlgorithm.Random, 1)]
    [InlineData(WipeAlgorithm.Schneier, 7)]
    public async Task A_random_last_pass_begins_anew_to_be_read_back(WipeAlgorithm algorithm, int passes)
    {
        await PutAsync(Large);
        var (plan, told) = (await CutOffAsync(algorithm, checkpoint: 2 * passes - 1), new List<OperationProgress>());
        await ResumeAsync(plan, algorithm, told.Add);
        Assert.InRange(told[0].BytesDone!.Value, ((passes - 1L) * Large) + 1, ((passes - 1L) * Large) + (8 << 20));
        Assert.Equal((passes + 1L) * Large, told[^1].BytesDone);
    }

    [Theory]
    [InlineData(WipeAlgorithm.Zero, true, 0)]
    [InlineData(WipeAlgorithm.Zero, true, 1)]
    [InlineData(WipeAlgorithm.Bsi, false, 0)]
    public async Task Another_file_and_another_algorithm_begin_at_the_start(WipeAlgorithm algorithm, bool exchanged, int longer)
    {
        await PutAsync(Large);
        var plan = await CutOffAsync(WipeAlgorithm.Zero, checkpoint: 1);
        if (exchanged)
        {
            SomeContent.Full($"{host.Path}/new", Large + longer);
            File.Move($"{host.Path}/new", $"{host.Path}/v", overwrite: true);
        }
        using var cancel = new CancellationTokenSource();
        var told = new List<OperationProgress>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ResumeAsync(
            plan, algorithm,
            progress =>
            {
                told.Add(progress);
                cancel.Cancel();
            },
            cancel.Token));
        Assert.InRange(told[0].BytesDone!.Value, 1, 8 << 20);
    }

    [Fact]
    public async Task No_checkpoint_is_journalled_before_its_time()
    {
        await PutAsync(Small);
        var checkpoints = 0;
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
        {
            Checkpoint = _ => Task.FromResult(++checkpoints),
        };
        await new LocalVolumeWiper(new Clock(TimeSpan.Zero)).WipeAsync(host.Path, "v", WipeAlgorithm.Bsi, run, Cancellation);
        Assert.Equal(0, checkpoints);
    }

    public void Dispose() => host.Dispose();

    private async Task PutAsync(long length)
    {
        await host.BuildAsync(Cancellation);
        SomeContent.Full($"{host.Path}/v", length);
    }

    private void Plant(long offset)
    {
        using var file = File.OpenWrite($"{host.Path}/v");
        file.Position = offset;
        file.WriteByte(1);
    }

    /// <returns>What a wipe journalled that was cut off at so many checkpoints.</returns>
    private async Task<string> CutOffAsync(WipeAlgorithm algorithm, int checkpoint)
    {
        using var cut = new CancellationTokenSource();
        var plans = new List<string>();
        var run = new Run(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>())
        {
            Checkpoint = plan =>
            {
                plans.Add(plan);
                return plans.Count == checkpoint ? cut.CancelAsync() : Task.CompletedTask;
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WipeAsync(algorithm, run, cut.Token));
        return plans[^1];
    }

    private Task<VolumeDefinition> ResumeAsync(
        string plan, WipeAlgorithm algorithm, Action<OperationProgress>? told = null, CancellationToken? cancellationToken = null) => WipeAsync(
        algorithm, new Run(Guid.NewGuid(), true, _ => Task.CompletedTask, new Told(told ?? (_ => { }))) { Plan = plan }, cancellationToken ?? Cancellation);

    private Task<VolumeDefinition> WipeAsync(WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken) =>
        new LocalVolumeWiper(new Clock(TimeSpan.FromHours(1))).WipeAsync(host.Path, "v", algorithm, run, cancellationToken);

    private sealed class Told(Action<OperationProgress> tell) : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value) => tell(value);
    }

    /// <summary>A clock on which so much passes between two looks.</summary>
    private sealed class Clock(TimeSpan passes) : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks += passes.Ticks;
    }
}
