using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests;

public sealed class VolumeResizeTests
{
    [Theory]
    [InlineData(20, false, false, 20)]
    [InlineData(5, true, false, 15)]
    [InlineData(0, true, false, 10)]
    [InlineData(4, true, true, 6)]
    [InlineData(40, true, true, 0)]
    [InlineData(4, false, true, 4)]
    [InlineData(0, false, true, 0)]
    [InlineData(20, false, true, 20)]
    public void A_command_becomes_the_capacity_that_it_means(long given, bool delta, bool shrink, long to) =>
        Assert.Equal(new VolumeResize(10, to, Allocate: false), VolumeResize.Of(Command(given, delta, shrink), Volume));

    [Fact]
    public void A_full_volume_is_made_smaller_than_its_allocation_where_that_is_said() =>
        Assert.Equal(4, VolumeResize.Of(Command(4, shrink: true), Volume with { Allocation = 10 }).To);

    [Theory]
    [InlineData(9L, false, ErrorCodes.InvalidArgument)]
    [InlineData(0L, false, ErrorCodes.InvalidArgument)]
    [InlineData(-1L, true, ErrorCodes.InvalidArgument)]
    [InlineData(null, false, ErrorCodes.InvalidArgument)]
    [InlineData(long.MaxValue, true, ErrorCodes.Overflow)]
    public void What_means_no_capacity_is_refused(long? given, bool delta, string code) =>
        Assert.Equal(code, Assert.Throws<StorageException>(() => VolumeResize.Of(Command(given, delta), Volume)).Error.Code);

    [Fact]
    public void A_volume_of_unknown_capacity_is_refused() => Assert.Equal(
        ErrorCodes.InvalidState,
        Assert.Throws<StorageException>(() => VolumeResize.Of(Command(20), Volume with { Problem = "It cannot be read." })).Error.Code);

    private static VolumeDefinition Volume => new() { Name = "v", Capacity = 10 };

    private static ResizeVolume Command(long? capacity, bool delta = false, bool shrink = false) => new(null, "p", "v", capacity, delta, shrink);
}
