using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Tells the volumes of a listing by the digests of small ranges, and then those of the ranges that the inventory does not know as they are.
/// Some ranges are being compared while the next are gathered, so a listing of any size needs the memory of two such parts.
/// </summary>
internal sealed class VolumeComparison(RunContext context, CancellationToken cancellationToken) : ITellsVolumes
{
    public const int VolumesPerRange = 100;
    public const int RangesPerPart = 20;

    private readonly VolumeChunks differing = new(context, cancellationToken);
    private readonly byte[] digests = new byte[VolumesPerRange * VolumeDigest.Length];
    private List<VolumeDefinition> volumes = [];
    private List<Range> ranges = [];
    private string? after;
    private Task comparing = Task.CompletedTask;

    public async ValueTask AddAsync(VolumeDefinition volume)
    {
        if (volumes.Count == VolumesPerRange)
        {
            EndRange(through: volumes[^1].Name);
            if (ranges.Count == RangesPerPart)
                await CompareAsync();
        }
        VolumeChunks.RequireOrder(volumes.Count > 0 ? volumes[^1].Name : after, volume.Name);
        VolumeDigest.Write(volume, digests.AsSpan(volumes.Count * VolumeDigest.Length, VolumeDigest.Length));
        volumes.Add(volume);
    }

    public async Task EndAsync()
    {
        EndRange(through: null);
        await CompareAsync();
        await comparing;
        await differing.EndAsync();
    }

    private void EndRange(string? through)
    {
        ranges.Add(new Range(after, through, VolumeDigest.OfRange(digests.AsSpan(0, volumes.Count * VolumeDigest.Length)), volumes));
        (after, volumes) = (through, new(VolumesPerRange));
    }

    private async Task CompareAsync()
    {
        await comparing;
        (comparing, ranges) = (CompareAsync(ranges), []);
    }

    private async Task CompareAsync(List<Range> part)
    {
        var compared = new VolumesCompared(context.PoolId, part[0].After, [.. part.Select(range => new VolumeRange(range.Through, range.Digest))]);
        var known = (await context.CompareAsync(compared, cancellationToken)).ToHashSet();
        for (var i = 0; i < part.Count; i++)
        {
            if (known.Contains(i))
            {
                await differing.PassAsync(part[i].After, part[i].Through);
                continue;
            }
            foreach (var volume in part[i].Volumes)
                await differing.AddAsync(volume);
        }
    }

    private sealed record Range(string? After, string? Through, byte[] Digest, List<VolumeDefinition> Volumes);
}
