using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Copies the file of a volume as it is into a new one, which may be longer: holes stay holes, and blocks are shared where the file system
/// can and no blocks of its own are asked for.
/// </summary>
internal sealed class VolumeCopy(LocalImage source, SafeFileHandle file, string path, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
{
    private static readonly IProgress<OperationProgress> Untold = new Progress<OperationProgress>();

    /// <summary>The sizes of a copy: never smaller than its source, and full where nothing else is said.</summary>
    /// <exception cref="StorageException">As <see cref="VolumeRules.WithPreallocation"/>.</exception>
    public static VolumeDefinition Sized(VolumeDefinition definition, long sourceCapacity)
    {
        var capacity = Math.Max(definition.Capacity ?? 0, sourceCapacity);
        var allocation = definition.Allocation ?? capacity;
        return VolumeRules.WithPreallocation(definition with
        {
            Capacity = capacity,
            // An allocation of all that was asked for is one of all that it becomes.
            Allocation = allocation >= (definition.Capacity ?? capacity) ? capacity : allocation,
        });
    }

    /// <param name="size">Bytes of the new file, at least those of the source.</param>
    /// <param name="allocation">How many bytes from its start get blocks.</param>
    /// <param name="reflink">The blocks must be shared.</param>
    /// <param name="write">The blocks are written, not only taken.</param>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> where the blocks must be shared and cannot be.</exception>
    public void Run(long size, long allocation, bool reflink, bool write)
    {
        var ownBlocks = allocation > 0 && (allocation >= size || allocation > source.Allocation);
        if (reflink || !ownBlocks)
        {
            // Sharing begins with a flush of the source.
            FileFlush.WriteOut(source.File, source.Path, cancellationToken);
            if (FileCopy.TryShare(source.File, file, source.Path))
            {
                RawVolume.Fill(file, size, 0, path, progress, cancellationToken);
                return;
            }
            if (reflink)
                throw new StorageException(ErrorCodes.Unsupported, $"{path} cannot share blocks with {source.Path} there.", "reflink");
        }
        using (new FileGrowth(file, progress))
            RawVolume.Fill(file, size, allocation, path, Untold, cancellationToken, write);
        new FileCopy(source.File, source.Path, file, path, (long)source.Status.Size, progress, cancellationToken).Run(ownBlocks);
    }
}
