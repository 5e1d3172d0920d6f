using System.Text;
using CsCheck;
using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeChunksTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private async Task<VolumesObserved[]> RefreshAsync()
    {
        var worker = await rig.StartAsync();
        var run = rig.Refresh();
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, run)).Type);
        return [.. rig.Inbox.Events.Where(seen => seen.Type == nameof(VolumesObserved)).Select(seen => seen.Read<VolumesObserved>())];
    }

    [Fact]
    public async Task Chunks_cover_every_name_without_gaps_in_the_order_of_utf8()
    {
        string[] hard = ["ä", "zebra", "\uFFFD", "\uE000", "😀", "𐀀", "Z", "a", "aa", "中"];
        string[] names = [.. hard, .. Enumerable.Range(0, 1700).Select(i => $"volume-{i}")];
        rig.Backend.Put(names);
        var chunks = await RefreshAsync();

        Assert.Equal(4, chunks.Length);
        Assert.Null(chunks[0].After);
        Assert.Null(chunks[^1].Through);
        for (var i = 1; i < chunks.Length; i++)
            Assert.Equal(chunks[i - 1].Through, chunks[i].After);
        foreach (var chunk in chunks)
        {
            Assert.InRange(chunk.Volumes.Count, 1, 500);
            Assert.All(chunk.Volumes, volume =>
            {
                Assert.True(chunk.After is null || Bytewise(chunk.After, volume.Name) < 0);
                Assert.True(chunk.Through is null || Bytewise(volume.Name, chunk.Through) <= 0);
            });
        }
        var listed = chunks.SelectMany(chunk => chunk.Volumes).Select(volume => volume.Name).ToArray();
        Assert.Equal(names.Order(Comparer<string>.Create(Bytewise)), listed);
    }

    [Fact]
    public async Task An_empty_pool_is_one_open_chunk()
    {
        var chunk = Assert.Single(await RefreshAsync());
        Assert.Equal((null, null, 0), (chunk.After, chunk.Through, chunk.Volumes.Count));
    }

    [Fact]
    public async Task Large_volumes_make_small_chunks()
    {
        rig.Backend.Put(Enumerable.Range(0, 20).Select(i => $"{i:d2}{new string('x', 40_000)}"));
        var chunks = await RefreshAsync();
        Assert.Equal(20, chunks.Sum(chunk => chunk.Volumes.Count));
        Assert.All(chunks, chunk => Assert.InRange(chunk.Volumes.Count, 1, 6));
        // A chunk has the two names of its range besides.
        Assert.All(rig.Inbox.Reports, report => Assert.InRange(report.Events.Sum(seen => seen.Data.GetRawText().Length), 0, 400_000));
    }

    [Fact]
    public void The_comparer_orders_as_utf8_bytes_do() =>
        Gen.Select(Gen.String, Gen.String).Where((x, y) => WellFormed(x) && WellFormed(y))
            .Sample((x, y) => Math.Sign(Utf8Order.Comparer.Compare(x, y)) == Math.Sign(Bytewise(x, y)));

    private static bool WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;

    private static int Bytewise(string x, string y) => Encoding.UTF8.GetBytes(x).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y));
}
