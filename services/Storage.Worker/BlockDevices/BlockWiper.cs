using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Overwrites block devices as <see cref="LocalVolumeWiper"/> does files. <see cref="WipeAlgorithm.Zero"/> lets the kernel write the zeros
/// (BLKZEROOUT: by a command of the device where it has one), <see cref="WipeAlgorithm.Trim"/> gives the blocks back (BLKDISCARD, which
/// promises nothing of what is read afterwards). What a disk has remapped, and what a copy-on-write store below keeps, is not reached.
/// </summary>
public sealed class BlockWiper(TimeProvider time)
{
    /// <exception cref="StorageException">As <see cref="IVolumeWiper.WipeVolumeAsync"/>; <see cref="ErrorCodes.InUse"/>.</exception>
    public async Task WipeAsync(string path, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken)
    {
        using var device = BlockDevice.OpenToChange(path);
        var start = WipeCheckpoint.Start(device.Status, device.Size, algorithm);
        if (run is { Resumed: true, Plan: { } plan } && JsonSerializer.Deserialize<WipeCheckpoint>(plan, StorageJson.Options)!.Continues(start) is { } reached)
            start = reached;
        await run.BeginAsync(cancellationToken);
        if (algorithm is WipeAlgorithm.Trim)
            device.Discard(run.Progress, cancellationToken);
        else if (algorithm is WipeAlgorithm.Zero)
            device.WriteZeros(0, device.Size, run.Progress, cancellationToken);
        else
            await new FileWipe(device.File, device.Size, path, run.Progress, cancellationToken)
                .OverwriteAsync(WipePasses.Of(algorithm), start.Pass, start.Offset, WipeCheckpoint.Journal(run, start, time));
    }
}
