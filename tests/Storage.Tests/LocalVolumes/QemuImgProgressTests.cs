using Storage.Contracts;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

public sealed class QemuImgProgressTests : IProgress<OperationProgress>
{
    private readonly List<OperationProgress> reported = [];

    [Theory]
    [InlineData(new[] { "    (0.00/100%)\r", "    (12.50/100%)\r" }, new[] { 0, 12.5 })]
    [InlineData(new[] { "    (0.00/100%)\r    (1.01/100%)\r    (2.02/1", "00%)\r" }, new[] { 1.01, 2.02 })]
    [InlineData(new[] { "Formatting 'a (5/100%)'\n", "(1", "00.00/", "100%)" }, new[] { 100.0 })]
    [InlineData(new[] { "no progress at all, for many a line", "" }, new double[0])]
    public void The_percents_are_read_however_the_output_comes_in_pieces(string[] printed, double[] percents)
    {
        var progress = new QemuImgProgress(this, null);
        foreach (var piece in printed)
            progress.Read(piece);
        Assert.Equal(percents, reported.Select(row => row.Percent!.Value));
    }

    [Fact]
    public void Where_the_size_is_known_the_bytes_are_told_too()
    {
        new QemuImgProgress(this, 4096).Read("(25.00/100%)");
        Assert.Equal(new OperationProgress(25, 1024, 4096), Assert.Single(reported));
    }

    void IProgress<OperationProgress>.Report(OperationProgress value) => reported.Add(value);
}
