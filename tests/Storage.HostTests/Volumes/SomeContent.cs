using System.Diagnostics;

namespace Storage.HostTests;

/// <summary>Files with content that tests can tell again: blocks of random bytes with holes between them.</summary>
internal static class SomeContent
{
    private const int Block = 64 << 10;

    /// <summary>A file of which every fourth block of 64 KiB is written and the rest are holes.</summary>
    public static void Sparse(string path, long length)
    {
        using var file = File.Create(path);
        file.SetLength(length);
        var random = new Random(1);
        var block = new byte[Block];
        for (long offset = 0; offset + Block <= length; offset += 4 * Block)
        {
            random.NextBytes(block);
            file.Position = offset;
            file.Write(block);
        }
    }

    /// <summary>A file without holes.</summary>
    public static void Full(string path, long length)
    {
        using var file = File.Create(path);
        var random = new Random(2);
        var block = new byte[Block];
        for (long offset = 0; offset < length; offset += Block)
        {
            random.NextBytes(block);
            file.Write(block, 0, (int)Math.Min(Block, length - offset));
        }
    }

    /// <summary>Bytes of the blocks that a file has.</summary>
    public static long Blocks(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        return long.Parse(stat.StandardOutput.ReadToEnd().Trim(), System.Globalization.CultureInfo.InvariantCulture) * 512;
    }
}
