using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Changes the capacity of files in a local directory: raw ones natively, qcow2, qed and encrypted ones with qemu-img. No other format can.</summary>
public sealed class LocalVolumeResizer(QemuImg qemuImg)
{
    /// <summary>As <see cref="IVolumeResizer.ResizeVolumeAsync"/>. Directories, links and devices are refused.</summary>
    /// <param name="target">The pool's directory.</param>
    public async Task<VolumeDefinition> ResizeAsync(
        string target, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        using var directory = LocalDirectory.Open(target);
        using var image = ImageChain.Open(LocalImage.OpenToChange(directory, volume), directory);
        Check(image, resize);
        if (image is { Encrypted: false, Format: "raw" or "iso" })
        {
            await run.BeginAsync(cancellationToken);
            RawVolume.Resize(image.Front.File, resize, image.Front.Path, run.Progress, cancellationToken);
        }
        else if (image.Capacity != QemuImgCommands.Sectors(resize.To))
        {
            await qemuImg.RequireAsync(cancellationToken);
            using var secret = await image.UnlockAsync(resize.Secret, run, cancellationToken);
            await run.BeginAsync(cancellationToken);
            await qemuImg.ResizeAsync(image.Sources(ImageSecret.Of(secret?.Path)), resize, cancellationToken);
        }
        if (LibC.Sync(image.Front.File) < 0)
            throw HostErrors.FromLast($"sync {image.Front.Path}");
        var resized = LocalVolumeReader.Read(directory, volume) ?? throw LocalImage.Missing(directory, volume);
        return resized.Capacity >= resize.To && (resize.To >= resize.From || resized.Capacity < resize.From)
            ? resized
            : throw new StorageException(ErrorCodes.HostFailure, $"{image.Front.Path} has {resized.Capacity} bytes after it was resized to {resize.To}.");
    }

    private static void Check(ImageChain image, VolumeResize resize)
    {
        if (image.Format is not ("raw" or "iso" or "qcow2" or "qed"))
            throw new StorageException(ErrorCodes.Unsupported, $"An image of format {image.Format} cannot be resized.");
        if (image.Format == "qed" && resize.To < resize.From)
            throw new StorageException(ErrorCodes.Unsupported, "An image of format qed cannot be made smaller.", "shrink");
        if (image.Format == "qed" && resize.Allocate)
            throw new StorageException(ErrorCodes.Unsupported, "An image of format qed cannot be allocated.", "allocate");
    }
}
