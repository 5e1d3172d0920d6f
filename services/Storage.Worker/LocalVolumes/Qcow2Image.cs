using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// An empty qcow2 image without preallocation, laid out as qemu-img lays it out: header, refcount table, one refcount block, L1 table.
/// Source of fact: QEMU's docs/interop/qcow2.txt.
/// </summary>
internal sealed class Qcow2Image
{
    private const uint Magic = 0x5146_49FB;
    private const uint BackingFormatExtension = 0xE279_2ACA;
    private const int HeaderV2 = 72;
    private const int HeaderV3 = 112;
    private const int DefaultCluster = 65536;
    private const int SmallestCluster = 512;
    private const int LargestCluster = 2 << 20;
    private const int SmallestExtendedCluster = 16384;
    private const long LargestL1 = 32 << 20;
    private const int LongestBackingName = 1023;
    private const int RefcountOrder = 4;
    private const int RefcountBytes = 2;
    private const long ExtendedL2 = 1 << 4;
    private const long LazyRefcounts = 1;

    private readonly int cluster;
    private readonly long l1Entries;
    private readonly byte[] header;

    private Qcow2Image(int cluster, long l1Entries, byte[] header) => (this.cluster, this.l1Entries, this.header) = (cluster, l1Entries, header);

    private long L1Bytes => l1Entries * sizeof(long);

    private long L1Clusters => (L1Bytes + cluster - 1) / cluster;

    /// <summary>The image of a volume whose options were checked; null for one that is left to qemu-img: very large ones of small clusters.</summary>
    public static Qcow2Image? Of(VolumeDefinition volume)
    {
        const long KiB = 1024;
        var cluster = volume.ClusterSize ?? DefaultCluster;
        var extended = volume.Features?.Contains("extended_l2") == true;
        if (!BitOperations.IsPow2(cluster) || cluster < (extended ? SmallestExtendedCluster : SmallestCluster) || cluster > LargestCluster
            || volume.Capacity is not { } capacity || capacity > long.MaxValue - KiB)
            return null;
        var size = (capacity + KiB - 1) / KiB * KiB;
        var perL2 = cluster / (extended ? 2 * sizeof(long) : sizeof(long)) * cluster;
        var l1Entries = size / perL2 + (size % perL2 == 0 ? 0 : 1);
        // One refcount block counts for all of it, and the header with the name of the backing store is one cluster.
        if (l1Entries * sizeof(long) > LargestL1 || FirstClusters + (l1Entries * sizeof(long) + cluster - 1) / cluster > cluster / RefcountBytes
            || Header(volume, (int)cluster, size, (int)l1Entries, extended) is not { } header)
            return null;
        return new Qcow2Image((int)cluster, l1Entries, header);
    }

    private const int FirstClusters = 3;

    /// <summary>Writes it into an empty file. A failure leaves a part of it.</summary>
    public void Write(SafeFileHandle file, string path)
    {
        var clusters = new byte[FirstClusters * cluster];
        header.CopyTo(clusters, 0);
        BinaryPrimitives.WriteInt64BigEndian(clusters.AsSpan(cluster), 2 * cluster);
        for (var i = 0; i < FirstClusters + L1Clusters; i++)
            BinaryPrimitives.WriteUInt16BigEndian(clusters.AsSpan(2 * cluster + i * RefcountBytes), 1);
        WriteAll(file, clusters, 0, path);
        var zeros = new byte[Math.Min(L1Bytes, LargestCluster)];
        for (long done = 0; done < L1Bytes; done += zeros.Length)
            WriteAll(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, L1Bytes - done)), FirstClusters * (long)cluster + done, path);
    }

    private static byte[]? Header(VolumeDefinition volume, int cluster, long size, int l1Entries, bool extended)
    {
        var version = volume.Compat == "0.10" ? 2 : 3;
        var length = version == 2 ? HeaderV2 : HeaderV3;
        var format = Encoding.UTF8.GetBytes(volume.BackingStore is { } backing ? backing.Format ?? "raw" : "");
        var name = Encoding.UTF8.GetBytes(volume.BackingStore?.Path ?? "");
        var extension = format.Length == 0 ? 0 : 8 + (format.Length + 7) / 8 * 8;
        var nameAt = length + extension + 8;
        if (name.Length > LongestBackingName || nameAt + name.Length > cluster)
            return null;
        var header = new byte[nameAt + name.Length];
        var at = header.AsSpan();
        BinaryPrimitives.WriteUInt32BigEndian(at, Magic);
        BinaryPrimitives.WriteInt32BigEndian(at[4..], version);
        BinaryPrimitives.WriteInt64BigEndian(at[8..], name.Length == 0 ? 0 : nameAt);
        BinaryPrimitives.WriteInt32BigEndian(at[16..], name.Length);
        BinaryPrimitives.WriteInt32BigEndian(at[20..], BitOperations.Log2((uint)cluster));
        BinaryPrimitives.WriteInt64BigEndian(at[24..], size);
        BinaryPrimitives.WriteInt32BigEndian(at[36..], l1Entries);
        BinaryPrimitives.WriteInt64BigEndian(at[40..], FirstClusters * (long)cluster);
        BinaryPrimitives.WriteInt64BigEndian(at[48..], cluster);
        BinaryPrimitives.WriteInt32BigEndian(at[56..], 1);
        if (version == 3)
        {
            BinaryPrimitives.WriteInt64BigEndian(at[72..], extended ? ExtendedL2 : 0);
            BinaryPrimitives.WriteInt64BigEndian(at[80..], volume.Features?.Contains("lazy_refcounts") == true ? LazyRefcounts : 0);
            BinaryPrimitives.WriteInt32BigEndian(at[96..], RefcountOrder);
            BinaryPrimitives.WriteInt32BigEndian(at[100..], length);
        }
        if (format.Length > 0)
        {
            BinaryPrimitives.WriteUInt32BigEndian(at[length..], BackingFormatExtension);
            BinaryPrimitives.WriteInt32BigEndian(at[(length + 4)..], format.Length);
            format.CopyTo(at[(length + 8)..]);
        }
        name.CopyTo(at[nameAt..]);
        return header;
    }

    private static unsafe void WriteAll(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset, string path)
    {
        fixed (byte* start = bytes)
        {
            for (var done = 0; done < bytes.Length;)
            {
                var written = LibC.Write(file, start + done, (nuint)(bytes.Length - done), offset + done);
                if (written > 0)
                    done += (int)written;
                else if (written == 0 || HostErrors.Last != HostErrors.Interrupted)
                    throw HostErrors.FromLast($"write the image {path}");
            }
        }
    }
}
