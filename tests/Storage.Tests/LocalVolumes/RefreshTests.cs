using System.Globalization;
using Storage.Contracts;
using Storage.Tests.Ledger;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>Refreshes of pools whose files change meanwhile, or have not changed since the last one.</summary>
public sealed class RefreshTests : IDisposable
{
    private const string Account = "/proc/thread-self/io";

    private readonly string pool = Directory.CreateTempSubdirectory("pool-").FullName;
    private readonly ShiftedTime clock = new();
    private readonly KnownHeaders headers;

    public RefreshTests() => headers = new KnownHeaders(clock);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Files_that_vanish_change_or_are_exchanged_while_it_runs_end_no_refresh()
    {
        foreach (var name in new[] { "a", "b", "c", "d", "e", "f" })
            Write(name, 4096);
        var (seen, observation) = await RefreshAsync(volume =>
        {
            if (volume.Name != "a")
                return;
            File.Delete(In("b"));
            File.Delete(In("c"));
            Directory.CreateDirectory(In("c"));
            File.Delete(In("d"));
            File.CreateSymbolicLink(In("d"), "/etc/hostname");
            Write("e", 1);
        });
        Assert.Equal(["a", "c", "e", "f"], seen.Select(volume => volume.Name).Except(["d"]));
        Assert.Equal((1, "dir"), (seen.Single(volume => volume.Name == "e").Capacity, seen.Single(volume => volume.Name == "c").Format));
        Assert.InRange(observation.Skipped, 1, 2);
        Assert.Equal(seen.Count, observation.Volumes);
    }

    [Fact]
    public async Task A_pool_that_is_emptied_while_it_is_refreshed_has_what_was_seen_until_then()
    {
        for (var i = 0; i < 100; i++)
            Write($"{i:00}", 10);
        var (seen, observation) = await RefreshAsync(volume =>
        {
            if (volume.Name == "09")
                foreach (var file in Directory.GetFiles(pool))
                    File.Delete(file);
        });
        Assert.Equal((10, 90), (seen.Count, observation.Skipped));
    }

    [Fact]
    public async Task A_file_that_has_not_changed_is_not_read_again_and_seen_the_same()
    {
        Assert.SkipUnless(File.Exists(Account), "This kernel does not count what threads read.");
        WriteOld("a", 4096);
        var (first, _) = await RefreshAsync();
        Assert.Equal(1, headers.Count);
        var (second, _) = await RefreshAsync();
        for (var i = 0; i < 9; i++)
            WriteOld($"b{i}", 4096);
        await RefreshAsync();
        // Fewer than one for each file: the rest is code that is loaded.
        var before = Reads();
        await RefreshAsync();
        Assert.InRange(Reads() - before, 0, 9);
        Assert.Equal(Comparable(first[0]), Comparable(second[0]));

        static string Comparable(VolumeDefinition volume) =>
            StorageJson.ToElement(volume with { Timestamps = volume.Timestamps! with { Access = null } }).GetRawText();
    }

    [Fact]
    public async Task A_file_that_was_changed_or_exchanged_is_read_again()
    {
        WriteOld("a", 512);
        Assert.Equal("raw", (await RefreshAsync()).Seen[0].Format);
        WriteQcow2("a");
        Assert.Equal("qcow2", (await RefreshAsync()).Seen[0].Format);
        WriteOld("b", 512);
        await RefreshAsync();
        WriteQcow2("c");
        File.Move(In("c"), In("b"), overwrite: true);
        Assert.Equal("qcow2", (await RefreshAsync()).Seen[1].Format);
    }

    [Fact]
    public async Task What_has_just_changed_is_not_kept_since_it_can_change_again_unseen()
    {
        Write("a", 512);
        await RefreshAsync();
        Assert.Equal(0, headers.Count);
    }

    [Fact]
    public async Task No_more_headers_are_kept_than_said()
    {
        var few = new KnownHeaders(clock, 10);
        for (var i = 0; i < 25; i++)
            WriteOld($"{i}", 1);
        await LocalVolumeFiles.ObserveAsync(pool, _ => ValueTask.CompletedTask, NewRun(), Cancellation, few);
        Assert.InRange(few.Count, 1, 10);
    }

    public void Dispose() => Directory.Delete(pool, recursive: true);

    private async Task<(List<VolumeDefinition> Seen, PoolObservation Observation)> RefreshAsync(Action<VolumeDefinition>? onVolume = null)
    {
        var seen = new List<VolumeDefinition>();
        var observation = await LocalVolumeFiles.ObserveAsync(
            pool,
            volume =>
            {
                seen.Add(volume);
                onVolume?.Invoke(volume);
                return ValueTask.CompletedTask;
            },
            NewRun(), Cancellation, headers);
        return (seen, observation);
    }

    private static Run NewRun() => new(Guid.NewGuid(), false, _ => Task.CompletedTask, new Progress<OperationProgress>());

    private string In(string name) => Path.Combine(pool, name);

    private void Write(string name, int size) => File.WriteAllBytes(In(name), new byte[size]);

    /// <summary>A file that was changed long ago.</summary>
    private void WriteOld(string name, int size)
    {
        Write(name, size);
        clock.Advance(TimeSpan.FromMinutes(1));
    }

    private void WriteQcow2(string name)
    {
        var header = new byte[512];
        new byte[] { 0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 2 }.CopyTo(header, 0);
        (header[23], header[27]) = (16, 64);
        File.WriteAllBytes(In(name), header);
    }

    /// <summary>How often this thread has read, up to the beginning of the question.</summary>
    private static int Reads() => int.Parse(
        File.ReadLines(Account).First(line => line.StartsWith("syscr:", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);
}
