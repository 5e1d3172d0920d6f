using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Gives a new file, raw or an image, the content that a guest would see of other images, by qemu-img.</summary>
/// <param name="volume">What the file is to be.</param>
/// <param name="secret">Its passphrase, where it is to be encrypted.</param>
internal sealed class ImageConversion(QemuImg qemuImg, VolumeDefinition volume, ImageSecret? secret, Run run, CancellationToken cancellationToken)
{
    private static readonly IProgress<OperationProgress> Untold = new Progress<OperationProgress>();

    /// <param name="sources">An image with all that lies behind it.</param>
    /// <param name="capacity">Its bytes.</param>
    /// <param name="file">An empty file.</param>
    /// <param name="path">Where a tool finds it.</param>
    public async Task RunAsync(IReadOnlyList<ImageSource> sources, long capacity, SafeFileHandle file, string path)
    {
        using (new FileGrowth(file, run.Progress))
        {
            if (LocalVolumeCreator.IsNative(volume))
                RawVolume.Fill(
                    file, volume.Capacity!.Value, volume.Allocation!.Value, path, Untold, cancellationToken, write: volume.Preallocation == Preallocation.Full);
            else
                await qemuImg.CreateAsync(path, volume, secret, cancellationToken);
        }
        await qemuImg.ConvertAsync(sources, capacity, new ImageSource(volume.Format!, path, secret), run.Progress, cancellationToken);
        var made = LocalVolumeReader.ReadHeader(file, Math.Max(0, LibC.Seek(file, 0, LibC.SeekEnd)));
        if (!LocalVolumeCreator.IsNative(volume)
            && !(made?.Format == volume.Format && made!.Capacity >= volume.Capacity && made.Encryption == volume.Encryption?.Format))
            throw new StorageException(new StorageError(
                ErrorCodes.ToolFailed, $"{QemuImg.Name} made no {volume.Format} image of {volume.Capacity} bytes.", Tool: QemuImg.Name));
    }
}
