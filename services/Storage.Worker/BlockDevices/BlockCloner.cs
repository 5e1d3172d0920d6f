using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Fills a new block device with the content of a volume: what is longer than that reads as zeros afterwards. Images are converted by
/// qemu-img, which is told every file of the chain and opens no other (<see cref="ImageChain"/>). Begun again, it begins at the start.
/// </summary>
public sealed class BlockCloner(QemuImg qemuImg, BlockEncryption encryption)
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
    /// <param name="volume">What it is to be: where it is encrypted, the content is so within it.</param>
    /// <param name="isBlank">It reads as zeros.</param>
    public async Task FillAsync(string target, VolumeDefinition volume, CloneSource source, bool isBlank, Run run, CancellationToken cancellationToken)
    {
        using var to = BlockDevice.OpenToChange(target);
        using var secret = volume.Encryption is null ? null : await SecretFile.OfPassphraseAsync(volume.Encryption.Secrets![0], run, cancellationToken);
        var sealing = ImageSecret.Of(secret?.Path);
        if (sealing is not null)
            await encryption.FormatAsync(to, volume, sealing, cancellationToken);
        else if (!isBlank)
            to.WriteZeros(0, to.Size, new Progress<OperationProgress>(), cancellationToken);
        if (source.IsFile)
        {
            using var directory = LocalDirectory.Open(LocalTarget.PathOf(source.Pool));
            using var chain = OpenChain(directory, source, run);
            using var opening = await chain.UnlockAsync(source.Secret, run, cancellationToken);
            await ConvertAsync(chain.Sources(ImageSecret.OfSource(opening?.Path)), chain.Capacity);
        }
        else
        {
            using var from = await BlockSource.OpenAsync(source, cancellationToken);
            if (sealing is null)
                new FileCopy(from.File, from.Path, to.File, to.Path, from.Size, run.Progress, cancellationToken).Run(ownBlocks: true);
            else
                await ConvertAsync([new ImageSource("raw", from.ToolPath) { IsDevice = true }], from.Size);
        }
        new FileFlush(to.File, to.Path).Flush();

        Task ConvertAsync(IReadOnlyList<ImageSource> sources, long capacity) =>
            qemuImg.ConvertAsync(sources, capacity, new ImageSource("raw", to.ToolPath, sealing) { IsDevice = true }, run.Progress, cancellationToken);
    }

    private static ImageChain OpenChain(LocalDirectory directory, CloneSource source, Run run) =>
        ImageChain.Open(LocalImage.OpenToRead(directory, source.Volume), run.BackingPlaces.With(directory));
}
