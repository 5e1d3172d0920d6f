using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Takes the volumes that a listing finds, in the order of their names, and tells the inventory of all of them.</summary>
internal interface ITellsVolumes
{
    ValueTask AddAsync(VolumeDefinition volume);

    /// <summary>There are no more. Afterwards the inventory has all of them.</summary>
    Task EndAsync();
}

/// <summary>
/// Cuts the volumes of a listing into chunks whose ranges cover every name without a gap. One chunk is taken in while the next is on its way and a
/// third is gathered, so a listing of any size needs the memory of three.
/// </summary>
internal sealed class VolumeChunks(RunContext context, CancellationToken cancellationToken) : ITellsVolumes
{
    public const int VolumesPerChunk = 500;
    public const int BytesPerChunk = 256 * 1024;

    private List<VolumeDefinition> volumes = [];
    private int bytes;
    private string? after;
    private bool complete;
    private Task takenIn = Task.CompletedTask;
    private Task sending = Task.CompletedTask;

    public async ValueTask AddAsync(VolumeDefinition volume)
    {
        var last = volumes.Count > 0 ? volumes[^1].Name : after;
        RequireOrder(last, volume.Name);
        var size = JsonSerializer.SerializeToUtf8Bytes(volume, StorageJson.Options).Length;
        if (volumes.Count == VolumesPerChunk || (volumes.Count > 0 && bytes + size > BytesPerChunk))
            await SendAsync(through: last);
        volumes.Add(volume);
        bytes += size;
    }

    /// <summary>The inventory knows the volumes of a range, which need not be told. What was added before is all up to there.</summary>
    public async ValueTask PassAsync(string? from, string? through)
    {
        if (!string.Equals(after, from, StringComparison.Ordinal))
            await SendAsync(from);
        after = through;
        complete = through is null;
    }

    /// <summary>Sends the last chunk, which is open-ended. Afterwards the inventory has all of them.</summary>
    public async Task EndAsync()
    {
        if (!complete)
            await SendAsync(through: null);
        await takenIn;
        await sending;
    }

    /// <exception cref="InvalidOperationException">The backend does not keep the order: what it listed would be taken for gone.</exception>
    public static void RequireOrder(string? last, string next)
    {
        if (last is not null && Utf8Order.Comparer.Compare(last, next) >= 0)
            throw new InvalidOperationException($"The backend handed over volume '{next}' after '{last}'.");
    }

    private async Task SendAsync(string? through)
    {
        await takenIn;
        takenIn = sending;
        sending = context.StreamAsync(new VolumesObserved(context.PoolId, after, through, volumes), cancellationToken);
        (after, volumes, bytes) = (through, [], 0);
    }
}
