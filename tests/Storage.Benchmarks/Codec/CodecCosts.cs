using System.Globalization;
using Storage.Contracts;
using Storage.Contracts.Images;
using Storage.Tests.Images;

namespace Storage.Benchmarks.Codec;

/// <summary>What it costs to read image headers, and to read and print libvirt's documents; no service and no disk is needed.</summary>
internal static class CodecCosts
{
    public static void Print()
    {
        var rows = SampleImages.All.Select(image => Probe(image.Name, image.Head)).Concat(Volumes()).Concat(Pools()).ToList();
        var costs = Cost.OfEach([.. rows.Select(row => row.Call)]);
        Console.WriteLine("| | µs | bytes allocated |");
        Console.WriteLine("|---|---|---|");
        foreach (var ((name, _), cost) in rows.Zip(costs))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {cost.Nanoseconds / 1000:0.00} | {cost.Allocated} |"));
    }

    /// <summary>A header with as many bytes as the worker reads of a large file.</summary>
    private static (string Name, Func<object> Call) Probe(string name, byte[] image)
    {
        var head = new byte[ImageHeader.ProbeLength];
        image.CopyTo(head, 0);
        return ($"header, {name}", () => ImageHeader.Read(head, head.Length));
    }

    private static IEnumerable<(string Name, Func<object> Call)> Volumes()
    {
        var type = PoolTypes.Of(PoolType.Dir);
        var volume = VolumeXml.Read(Documents.Volume, type);
        yield return ("volume XML, read", () => VolumeXml.Read(Documents.Volume, type));
        yield return ("volume XML, print", () => VolumeXml.Write(volume, type));
        yield return ("volume XML, both", () => VolumeXml.Write(VolumeXml.Read(Documents.Volume, type), type));
    }

    private static IEnumerable<(string Name, Func<object> Call)> Pools()
    {
        var pool = PoolXml.Read(Documents.Pool);
        yield return ("pool XML, read", () => PoolXml.Read(Documents.Pool));
        yield return ("pool XML, print", () => PoolXml.Write(pool));
        yield return ("pool XML, both", () => PoolXml.Write(PoolXml.Read(Documents.Pool)));
    }
}
