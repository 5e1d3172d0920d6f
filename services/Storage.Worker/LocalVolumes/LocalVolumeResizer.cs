using Storage.Contracts;

namespace Storage.Worker;

/// <summary>Changes the capacity of files in a local directory: raw ones and LUKS 2 natively, qcow2, qed and encrypted ones with qemu-img, ploop volumes with ploop. No other format can.</summary>
public sealed class LocalVolumeResizer(VolumeTools tools)
{
    /// <summary>As <see cref="IVolumeResizer.ResizeVolumeAsync"/>. Directories, links and devices are refused.</summary>
    /// <param name="target">The pool's directory.</param>
    public async Task<VolumeDefinition> ResizeAsync(
        string target, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        using var directory = LocalDirectory.Open(target);
        if (Ploop.Is(directory, volume))
            return await ResizePloopAsync(directory, volume, resize, run, cancellationToken);
        var front = LocalImage.OpenToChange(directory, volume);
        if (DataOffset(front) is { } offset)
            return await ResizeLuks2Async(directory, volume, front, offset, resize, run, cancellationToken);
        using var image = ImageChain.Open(front, run.BackingPlaces.With(directory));
        Check(image, resize);
        if (image is { Encrypted: false, Format: "raw" or "iso" })
        {
            await run.BeginAsync(cancellationToken);
            RawVolume.Resize(image.Front.File, resize, image.Front.Path, run.Progress, cancellationToken);
        }
        else if (image.Capacity != QemuImgCommands.Sectors(resize.To))
        {
            await tools.QemuImg.RequireAsync(cancellationToken);
            using var secret = await image.UnlockAsync(resize.Secret, run, cancellationToken);
            await run.BeginAsync(cancellationToken);
            using var growth = new FileGrowth(image.Front.File, run.Progress);
            await tools.QemuImg.ResizeAsync(image.Sources(ImageSecret.Of(secret?.Path)), resize, cancellationToken);
        }
        FileFlush.Complete(image.Front.File, image.Front.Path, cancellationToken);
        return Resized(directory, volume, resize);
    }

    private async Task<VolumeDefinition> ResizePloopAsync(
        LocalDirectory directory, string volume, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        if (resize.Allocate)
            throw new StorageException(ErrorCodes.Unsupported, $"A volume of format {Ploop.Format} cannot be allocated.", "allocate");
        await run.BeginAsync(cancellationToken);
        await tools.Ploop.ResizeAsync(directory.PathOf(volume), resize.To, cancellationToken);
        return Resized(directory, volume, resize);
    }

    private static long? DataOffset(LocalImage image)
    {
        try
        {
            return Luks2Image.DataOffset(image);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>The header says that the data go on to the end of the file: no key is needed.</summary>
    private static async Task<VolumeDefinition> ResizeLuks2Async(
        LocalDirectory directory, string volume, LocalImage image, long offset, VolumeResize resize, Run run, CancellationToken cancellationToken)
    {
        using (image)
        {
            await run.BeginAsync(cancellationToken);
            RawVolume.Resize(
                image.File, resize with { From = offset + resize.From, To = offset + Cryptsetup.Sectors(resize.To) }, image.Path, run.Progress, cancellationToken);
            FileFlush.Complete(image.File, image.Path, cancellationToken);
            return Resized(directory, volume, resize);
        }
    }

    private static VolumeDefinition Resized(LocalDirectory directory, string volume, VolumeResize resize)
    {
        var resized = LocalVolumeReader.Read(directory, volume) ?? throw LocalImage.Missing(directory, volume);
        return resized.Capacity >= resize.To && (resize.To >= resize.From || resized.Capacity < resize.From)
            ? resized
            : throw new StorageException(ErrorCodes.HostFailure, $"{directory.PathOf(volume)} has {resized.Capacity} bytes after it was resized to {resize.To}.");
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
