using Storage.Contracts;
using Xunit;

namespace Storage.IntegrationTests;

/// <summary>A wipe whose worker is killed.</summary>
[Trait(Servers.Trait, Servers.Any)]
public sealed class WipeCrashTests(TestBackends backends)
{
    private const int Size = 64 << 20;
    private const int Block = 4096;
    private const byte Old = (byte)'A';

    [Fact]
    public async Task A_wipe_whose_worker_was_killed_is_completed_by_the_next_one_and_leaves_nothing_of_the_old_content()
    {
        await using var fleet = await Fleet.StartAsync(backends, new FleetLayout());
        var path = Path.Combine(await new StorageUnderTest(fleet.Client, fleet.PoolPath).RunningPoolAsync("wiped"), "disk.img");
        await fleet.Client.PostAsync("/v1/pools/wiped/volumes", new { name = "disk.img", capacity = Size });
        await using (var file = File.OpenWrite(path))
            await file.WriteAsync(Enumerable.Repeat(Old, Size).ToArray(), TestContext.Current.CancellationToken);

        var wipe = await fleet.Client.SubmitAsync(HttpMethod.Post, "/v1/pools/wiped/volumes/disk.img/wipe?algorithm=gutmann");
        await Eventually.HoldsAsync("the wipe to be under way", async _ =>
            (await fleet.Client.ReadAsync($"/v1/operations/{wipe}")).TryGetProperty("progress", out var progress)
            && progress.TryGetProperty("bytesDone", out var bytes) && bytes.GetInt64() > 0);
        await fleet.Workers[0].KillAsync();
        Assert.Empty(await fleet.Client.EndsOfAsync(wipe));

        await fleet.Workers[0].StartAsync();
        Assert.Equal("succeeded", (await fleet.Client.EndOfAsync(wipe)).GetProperty("state").GetString());
        Assert.Equal([nameof(OperationSucceeded)], await fleet.Client.EndsOfAsync(wipe));
        Assert.Single(await fleet.Client.ReadEventsAsync(), entry => entry.Type == nameof(VolumeWiped));
        var content = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(Size, content.Length);
        Assert.DoesNotContain(content.Chunk(Block), block => !block.AsSpan().ContainsAnyExcept(Old));
    }
}
