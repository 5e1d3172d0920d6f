using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

public sealed class WipePassesTests
{
    private const string Gutmann =
        "random random random random 55 AA 924924 492492 249249 "
        + "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF "
        + "924924 492492 249249 6DB6DB B6DB6D DB6DB6 random random random random";

    [Theory]
    [InlineData(WipeAlgorithm.Zero, "00")]
    [InlineData(WipeAlgorithm.Nnsa, "random random 00")]
    [InlineData(WipeAlgorithm.Dod, "random 00 FF")]
    [InlineData(WipeAlgorithm.Bsi, "FF FE FD FB F7 EF DF BF 7F")]
    [InlineData(WipeAlgorithm.Gutmann, Gutmann)]
    [InlineData(WipeAlgorithm.Schneier, "00 FF random random random random random")]
    [InlineData(WipeAlgorithm.Pfitzner7, "random random random random random random random")]
    [InlineData(WipeAlgorithm.Random, "random")]
    public void An_algorithm_writes_exactly_these_passes(WipeAlgorithm algorithm, string passes) =>
        Assert.Equal(passes, string.Join(' ', WipePasses.Of(algorithm).Select(pass => pass.IsRandom ? "random" : Convert.ToHexString(pass.Pattern))));

    [Fact]
    public void Pfitzners_longer_method_is_33_random_passes() =>
        Assert.Equal(33, WipePasses.Of(WipeAlgorithm.Pfitzner33).Count(pass => pass.IsRandom));

    [Fact]
    public void Gutmanns_method_has_35_passes() => Assert.Equal(35, WipePasses.Of(WipeAlgorithm.Gutmann).Count);

    [Fact]
    public void A_trim_writes_nothing() => Assert.Throws<StorageException>(() => WipePasses.Of(WipeAlgorithm.Trim));
}
