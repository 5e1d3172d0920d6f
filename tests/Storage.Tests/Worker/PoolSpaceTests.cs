using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

/// <summary>What is told of a pool's space once is told again when it is otherwise.</summary>
public sealed class PoolSpaceTests
{
    private static readonly PoolSpace Told = new(100, 40, 60, [new FreeExtent(10, 30), new FreeExtent(60, 100)]);

    [Fact]
    public void The_same_figures_with_the_same_extents_are_no_news() =>
        Assert.True(Told.IsSame(new PoolSpace(100, 40, 60, [new FreeExtent(10, 30), new FreeExtent(60, 100)])));

    [Fact]
    public void As_much_room_in_another_place_is_news() => Assert.False(Told.IsSame(Told with { FreeExtents = [new FreeExtent(0, 20), new FreeExtent(60, 100)] }));

    [Fact]
    public void More_room_is_news() => Assert.False(Told.IsSame(Told with { Available = 61 }));
}
