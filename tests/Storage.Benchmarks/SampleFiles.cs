using System.Buffers.Binary;

namespace Storage.Benchmarks;

/// <summary>Files for pools that are looked at.</summary>
internal static class SampleFiles
{
    /// <summary>Fills a new directory: each file is 4 KiB of raw, or the header of a qcow2 image.</summary>
    public static void Make(string directory, string format, int count)
    {
        Directory.CreateDirectory(directory);
        var content = format == "raw" ? new byte[4096] : Qcow2();
        for (var i = 0; i < count; i++)
            File.WriteAllBytes(Path.Combine(directory, $"volume-{i:000000}"), content);
    }

    /// <summary>A header of version 2: 1 GiB in clusters of 64 KiB.</summary>
    private static byte[] Qcow2()
    {
        var image = new byte[512];
        BinaryPrimitives.WriteUInt32BigEndian(image, 0x514649FB);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(4), 2);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(20), 16);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(24), 1 << 30);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(36), 2);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(40), 0x3_0000);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(48), 0x1_0000);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(56), 1);
        return image;
    }
}
