using System.Buffers.Binary;
using System.Numerics;
using Storage.Contracts;
using Storage.Contracts.Images;
using Xunit;

namespace Storage.Tests.Images;

/// <summary>A guest can write anything where a header is.</summary>
public sealed class ImageHeaderFuzzTests
{
    private const int Cases = 1_000_000;
    private const int Chunks = 200;
    private const int Seed = 20_250_611;

    /// <summary>Most of it for the exception of the JSON reader, which quotes what it cannot read, where the description within LUKS 2 is malformed.</summary>
    private const long MaxAllocated = 512 << 10;
    private const int LongestHead = ImageHeader.ProbeLength + 64;

    private static readonly string[] Features = ["lazy_refcounts", "extended_l2", "data_file"];
    private static readonly byte[] Noise = MakeNoise();

    /// <summary>Values at the edges of sizes, offsets, lengths and versions.</summary>
    private static readonly ulong[] Edges =
    [
        0, 1, 2, 3, 7, 8, 9, 21, 22, 63, 64, 71, 72, 103, 104, 105, 511, 512, 1023, 1024, 4095, 4096, 16_384, 32_768, ImageHeader.ProbeLength - 1, ImageHeader.ProbeLength,
        int.MaxValue, 1UL << 31, uint.MaxValue - 7, uint.MaxValue, 1UL << 32, (1UL << 54) - 1, 1UL << 54, long.MaxValue, 1UL << 63, ulong.MaxValue - 7, ulong.MaxValue,
        SampleImages.BackingFormat, SampleImages.DataFile,
    ];

    private static readonly long[] FileSizes = [-1, 0, 1, 511, 4096, 2 << 20, 1L << 40, long.MaxValue];

    // The time limit is for a probe that does not end.
    [Fact(Timeout = 300_000)]
    public Task A_million_headers_end_in_a_sound_result_with_little_memory() => Task.Run(
        () => Parallel.For(0, Chunks, chunk =>
        {
            var random = new Random(Seed + chunk);
            var buffer = new byte[LongestHead];
            // Code that is compiled on its first use, and its tables, are not the probe's memory.
            foreach (var (_, head) in SampleImages.All)
                Probe(head, 4096);
            for (var i = 0; i < Cases / Chunks; i++)
            {
                var length = Fill(buffer, random);
                var fileSize = random.Next(2) == 0 ? length : FileSizes[random.Next(FileSizes.Length)];
                if (Fault(buffer.AsSpan(0, length), fileSize) is { } fault)
                    Assert.Fail($"Seed {Seed + chunk}, case {i}, file of {fileSize} bytes: {fault}\n{Convert.ToHexString(buffer.AsSpan(0, Math.Min(length, 2048)))}");
            }
        }),
        TestContext.Current.CancellationToken);

    /// <summary>Puts a header at the start of the buffer; mostly one that begins like a real one.</summary>
    /// <returns>Its length.</returns>
    private static int Fill(byte[] buffer, Random random)
    {
        var sample = SampleImages.All[random.Next(SampleImages.All.Count)].Head;
        switch (random.Next(100))
        {
            case < 10:
                return Random(buffer, random, random.Next(2048));
            case < 20:
                var noise = Random(buffer, random, random.Next(2048));
                sample.AsSpan(0, Math.Min(random.Next(128), sample.Length)).CopyTo(buffer);
                return noise;
            case < 30:
                if (random.Next(5) == 0)
                    Random(buffer, random, LongestHead);
                else
                    buffer.AsSpan().Fill((byte)'n');
                // Up to a name and no further, so that the name can go on, or whole.
                sample.AsSpan(0, Math.Min(sample.Length, random.Next(2) == 0 ? 64 : 2048)).CopyTo(buffer);
                return Mutate(buffer, LongestHead, random);
            default:
                sample.CopyTo(buffer, 0);
                return Mutate(buffer, random.Next(4) == 0 ? random.Next(sample.Length + 1) : sample.Length, random);
        }
    }

    private static int Random(byte[] buffer, Random random, int length)
    {
        Noise.AsSpan(random.Next(Noise.Length - length), length).CopyTo(buffer);
        return length;
    }

    /// <summary>Changes single bytes, and whole fields to edges, near the start where the fields are.</summary>
    private static int Mutate(byte[] buffer, int length, Random random)
    {
        if (length < sizeof(ulong))
            return length;
        for (var changes = random.Next(9); changes > 0; changes--)
        {
            var near = Math.Min(length, random.Next(4) == 0 ? length : 128);
            if (random.Next(4) == 0)
                buffer[random.Next(near)] = (byte)random.Next(256);
            else
                Edge(buffer.AsSpan(Math.Min(random.Next(near) & ~3, length - sizeof(ulong))), random);
        }
        return length;
    }

    private static void Edge(Span<byte> field, Random random)
    {
        var edge = Edges[random.Next(Edges.Length)];
        switch (random.Next(4))
        {
            case 0:
                BinaryPrimitives.WriteUInt64LittleEndian(field, edge);
                break;
            case 1:
                BinaryPrimitives.WriteUInt64BigEndian(field, edge);
                break;
            case 2:
                BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)edge);
                break;
            default:
                BinaryPrimitives.WriteUInt32BigEndian(field, (uint)edge);
                break;
        }
    }

    private static byte[] MakeNoise()
    {
        var noise = new byte[1 << 20];
        new Random(Seed).NextBytes(noise);
        return noise;
    }

    private static (ImageHeader Image, long Allocated) Probe(ReadOnlySpan<byte> head, long fileSize)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var image = ImageHeader.Read(head, fileSize);
        return (image, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>What is wrong with the result; null where nothing is.</summary>
    private static string? Fault(ReadOnlySpan<byte> head, long fileSize)
    {
        try
        {
            var (image, allocated) = Probe(head, fileSize);
            return allocated > MaxAllocated ? $"{allocated} bytes were allocated." : IsSound(image) ? null : $"not sound: {image}";
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private static bool IsSound(ImageHeader image) =>
        PoolTypes.FileFormats.Contains(image.Format)
        && image.Capacity is null or >= 0
        && (image.ClusterSize is null || image.Format == "qcow2" && image.ClusterSize is >= 512 and <= 2 << 20 && BitOperations.IsPow2(image.ClusterSize.Value))
        && (image.Format == "qcow2" ? image.Compat is null or "1.1" : image.Compat is null)
        && (image.Features is null) == (image.Compat is null)
        && image.Features?.All(Features.Contains) != false
        && image.Encryption is null or "qcow" or "luks" or "luks2"
        && IsText(image.BackingFile) && IsText(image.BackingFormat) && IsText(image.DataFile) && IsText(image.Problem)
        && (image.Capacity is not null || image.Problem is not null || image.Encryption is "luks" or "luks2");

    private static bool IsText(string? text)
    {
        if (text is null)
            return true;
        foreach (var c in text)
        {
            if (char.IsControl(c))
                return false;
        }
        return text.Length is > 0 and <= 4095;
    }
}
