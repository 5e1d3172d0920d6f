using System.Globalization;
using Storage.Worker;
using Xunit;

namespace Storage.Tests.LocalVolumes;

/// <summary>A refresh of a pool on slow storage costs what is read of each file.</summary>
public sealed class OneReadTests : IDisposable
{
    private const string Account = "/proc/thread-self/io";

    private readonly string pool = Directory.CreateTempSubdirectory("pool-").FullName;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(512, 1)]
    [InlineData(33_279, 1)]
    [InlineData(33_280, 1)]
    [InlineData(100_000, 1)]
    public void A_file_of_any_size_is_looked_at_with_one_read(int size, int reads)
    {
        Assert.SkipUnless(File.Exists(Account), "This kernel does not count what threads read.");
        File.WriteAllBytes(Path.Combine(pool, "file"), new byte[size]);
        // The first time code and libraries are loaded.
        LocalVolumeFiles.Read(pool, "file");
        var before = Reads();
        var own = Reads() - before;
        before += own;
        LocalVolumeFiles.Read(pool, "file");
        Assert.Equal(reads, Reads() - before - own);
    }

    public void Dispose() => Directory.Delete(pool, recursive: true);

    /// <summary>How often this thread has read, up to the beginning of the question.</summary>
    private static int Reads() => int.Parse(
        File.ReadLines(Account).First(line => line.StartsWith("syscr:", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);
}
