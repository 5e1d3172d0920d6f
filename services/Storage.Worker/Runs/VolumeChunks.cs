using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Cuts the volumes of a refresh into chunks whose ranges cover every name without a gap. One chunk is on its way while the next is
/// gathered, so a refresh of any size needs the memory of two.
/// </summary>
internal sealed class VolumeChunks(RunContext context, CancellationToken cancellationToken)
{
    public const int VolumesPerChunk = 500;
    public const int BytesPerChunk = 256 * 1024;

    private List<VolumeDefinition> volumes = [];
    private int bytes;
    private string? after;
    private Task sending = Task.CompletedTask;

    public async ValueTask AddAsync(VolumeDefinition volume)
    {
        var last = volumes.Count > 0 ? volumes[^1].Name : after;
        if (last is not null && Utf8Order.Comparer.Compare(last, volume.Name) >= 0)
            throw new InvalidOperationException($"The backend handed over volume '{volume.Name}' after '{last}'.");
        var size = JsonSerializer.SerializeToUtf8Bytes(volume, StorageJson.Options).Length;
        if (volumes.Count == VolumesPerChunk || (volumes.Count > 0 && bytes + size > BytesPerChunk))
            await SendAsync(through: last);
        volumes.Add(volume);
        bytes += size;
    }

    /// <summary>Sends the last chunk, which is open-ended. Afterwards all of them have reached the broker.</summary>
    public async Task EndAsync()
    {
        await SendAsync(through: null);
        await sending;
    }

    private async Task SendAsync(string? through)
    {
        await sending;
        sending = context.StreamAsync(new VolumesObserved(context.PoolId, after, through, volumes), cancellationToken);
        (after, volumes, bytes) = (through, [], 0);
    }
}
