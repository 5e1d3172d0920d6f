using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Fills a new block device with the content of a volume: what is longer than that reads as zeros afterwards. Images are converted by
/// qemu-img, which is told every file of the chain and opens no other (<see cref="ImageChain"/>). Begun again, it begins at the start.
/// </summary>
public sealed class BlockCloner(QemuImg qemuImg)
{
    /// <summary>The bytes that the content takes; the source is looked at and not changed.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.VolumeNotFound"/>; <see cref="ErrorCodes.Unsupported"/>: such a volume is not copied.</exception>
    public static async Task<long> MeasureAsync(CloneSource source, Run run, CancellationToken cancellationToken)
    {
        if (source.IsFile)
        {
            using var directory = LocalDirectory.Open(LocalTarget.PathOf(source.Pool));
            using var chain = OpenChain(directory, source, run);
            return chain.Capacity;
        }
        using var device = await BlockSource.OpenAsync(source, cancellationToken);
        return device.Size;
    }

    /// <param name="target">The path of the device, which nobody else uses.</param>
    /// <param name="isBlank">It reads as zeros.</param>
    public async Task FillAsync(string target, CloneSource source, bool isBlank, Run run, CancellationToken cancellationToken)
    {
        using var to = BlockDevice.OpenToChange(target);
        if (!isBlank)
            to.WriteZeros(0, to.Size, new Progress<OperationProgress>(), cancellationToken);
        if (!source.IsFile)
        {
            using var from = await BlockSource.OpenAsync(source, cancellationToken);
            new FileCopy(from.File, from.Path, to.File, to.Path, from.Size, run.Progress, cancellationToken).Run(ownBlocks: true);
            new FileFlush(to.File, to.Path).Flush();
            return;
        }
        using var directory = LocalDirectory.Open(LocalTarget.PathOf(source.Pool));
        using var chain = OpenChain(directory, source, run);
        using var secret = await chain.UnlockAsync(source.Secret, run, cancellationToken);
        await qemuImg.ConvertAsync(
            chain.Sources(ImageSecret.OfSource(secret?.Path)), chain.Capacity, new ImageSource("raw", to.ToolPath, null), run.Progress, cancellationToken);
        new FileFlush(to.File, to.Path).Flush();
    }

    private static ImageChain OpenChain(LocalDirectory directory, CloneSource source, Run run) =>
        ImageChain.Open(LocalImage.OpenToRead(directory, source.Volume), run.BackingPlaces.With(directory));
}
