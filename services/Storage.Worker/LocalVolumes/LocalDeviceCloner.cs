using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Makes files of block devices: partitions, logical volumes. A raw copy is made in this process; where it does not get all of its blocks, what
/// reads as zeros stays a hole. Any other format is qemu-img's.
/// </summary>
public sealed class LocalDeviceCloner(VolumeTools tools, ILogger<LocalDeviceCloner> logger)
{
    private const string Raw = "raw";

    private static readonly IProgress<OperationProgress> Untold = new Progress<OperationProgress>();

    /// <summary>As <see cref="IVolumeCloner.CloneVolumeAsync"/>; without a format the copy is raw.</summary>
    /// <param name="target">The directory of the new volume's pool.</param>
    public async Task<VolumeDefinition> CloneAsync(
        string target, VolumeDefinition definition, CloneSource source, bool reflink, Run run, CancellationToken cancellationToken)
    {
        VolumeName.CheckNew(definition.Name);
        using var directory = LocalDirectory.Open(target);
        NewVolume.RemoveHalfDone(directory, definition.Name, run);
        if (NewVolume.FindPlanned(directory, run, logger) is { } complete)
            return complete;
        if (reflink)
            throw new StorageException(ErrorCodes.Unsupported, "A file shares no blocks with a device.", "reflink");
        using var device = await BlockSource.OpenAsync(source, cancellationToken);
        var volume = LocalVolumeCloner.Completed(definition, Raw, device.Size);
        if (directory.Has(volume.Name))
            throw directory.Taken(volume.Name);
        var isRaw = LocalVolumeCreator.IsNative(volume);
        if (!isRaw)
            await tools.QemuImg.RequireAsync(volume, cancellationToken);
        using var secret = await LocalVolumeCreator.PassphraseAsync(volume, run, cancellationToken);
        run.Plan = JsonSerializer.Serialize(volume, StorageJson.Options);
        return await new NewVolume(directory, volume, run, logger).MakeFileAsync(
            (file, path) => isRaw
                ? CopyAsync(device, volume, file, directory.PathOf(volume.Name), run, cancellationToken)
                : new ImageConversion(tools.QemuImg, volume, ImageSecret.Of(secret?.Path), run, cancellationToken)
                    .RunAsync([new ImageSource(Raw, device.ToolPath) { IsDevice = true }], device.Size, file, path),
            cancellationToken);
    }

    private static Task CopyAsync(BlockDevice device, VolumeDefinition volume, SafeFileHandle file, string path, Run run, CancellationToken cancellationToken)
    {
        var (capacity, allocation) = (volume.Capacity!.Value, volume.Allocation!.Value);
        using (new FileGrowth(file, run.Progress))
            RawVolume.Fill(file, capacity, allocation, path, Untold, cancellationToken, write: volume.Preallocation == Preallocation.Full);
        new FileCopy(device.File, device.Path, file, path, device.Size, run.Progress, cancellationToken) { LeaveZeros = true }.Run(ownBlocks: true);
        return Task.CompletedTask;
    }
}
