using Storage.Contracts;
using Xunit;

namespace Storage.Tests;

/// <summary>What a refresh tells of a pool in which little has changed.</summary>
public sealed class VolumeComparisonTests : IAsyncDisposable
{
    private readonly WorkerRig rig = new();
    private readonly List<string> names = [.. Enumerable.Range(0, 4350).Select(i => $"volume-{i:0000}")];

    public VolumeComparisonTests() => rig.Backend.Put(names);

    public ValueTask DisposeAsync() => rig.DisposeAsync();

    private async Task<VolumesObserved[]> RefreshAsync()
    {
        var worker = await rig.StartAsync();
        Assert.Equal(nameof(OperationSucceeded), (await rig.EndAsync(worker, rig.Refresh())).Type);
        return [.. rig.Inbox.Events.Where(seen => seen.Type == nameof(VolumesObserved)).Select(seen => seen.Read<VolumesObserved>())];
    }

    private IEnumerable<VolumesCompared> Compared =>
        rig.Inbox.Events.Where(seen => seen.Type == nameof(VolumesCompared)).Select(seen => seen.Read<VolumesCompared>());

    [Fact]
    public async Task Nothing_is_told_in_full_where_all_is_known()
    {
        rig.Inbox.Known = part => Enumerable.Range(0, part.Ranges.Count);
        Assert.Empty(await RefreshAsync());
        Assert.Equal(44, Compared.Sum(part => part.Ranges.Count));
    }

    [Fact]
    public async Task The_ranges_that_are_compared_cover_every_name_without_gaps()
    {
        await RefreshAsync();
        string? after = null;
        foreach (var part in Compared)
        {
            Assert.Equal(after, part.After);
            after = part.Ranges[^1].Through;
        }
        Assert.Null(after);
        Assert.Single(Compared.SelectMany(part => part.Ranges), range => range.Through is null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(43)]
    public async Task Only_a_range_that_is_not_known_is_told_in_full(int unknown)
    {
        var first = 0;
        rig.Inbox.Known = part =>
        {
            var begin = first;
            first += part.Ranges.Count;
            return Enumerable.Range(0, part.Ranges.Count).Where(i => begin + i != unknown);
        };
        var told = Assert.Single(await RefreshAsync());
        Assert.Equal(names.Skip(unknown * 100).Take(100), told.Volumes.Select(volume => volume.Name));
        Assert.Equal(unknown == 0 ? null : names[unknown * 100 - 1], told.After);
        Assert.Equal(unknown == 43 ? null : names[unknown * 100 + 99], told.Through);
    }

    [Fact]
    public async Task What_is_told_in_full_beside_what_is_known_leaves_no_name_out()
    {
        rig.Inbox.Known = part => Enumerable.Range(0, part.Ranges.Count).Where(i => i % 3 == 2);
        var told = await RefreshAsync();
        var listed = told.SelectMany(part => part.Volumes).Select(volume => volume.Name).ToList();
        Assert.Equal(names.Where((_, i) => i / 100 % 20 % 3 != 2), listed);
        Assert.All(told, part => Assert.All(part.Volumes, volume => Assert.True(
            (part.After is null || Utf8Order.Compare(part.After, volume.Name) < 0)
            && (part.Through is null || Utf8Order.Compare(volume.Name, part.Through) <= 0))));
    }
}
