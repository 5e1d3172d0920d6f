using System.Text.Json;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Overwrites files in a local directory, whatever format they have: afterwards they are raw and as long as before. Every byte of the
/// file is overwritten, so one with holes is full afterwards, except by <see cref="WipeAlgorithm.Trim"/>, and by
/// <see cref="WipeAlgorithm.Zero"/> of a file with holes: they give the blocks back (libvirt truncates it), which then read as
/// zeros but hold the old data until somebody else writes there. A file system without that gets zeros written, and refuses a trim.
/// <para>
/// A run that was cut off goes on from its last checkpoint, of about every 5 seconds, where the file is still that one: by inode, birth and
/// length. What somebody wrote meanwhile into what had been overwritten is found by the reading back of the last pass.
/// </para>
/// <para>
/// What is promised is the content of the file. A copy-on-write file system, a snapshot, a file that shares blocks (reflink), a journal
/// and a disk that maps its blocks keep the old data elsewhere: there only the deletion of all that share it, or encryption, helps. A
/// file with several names is overwritten under all of them.
/// </para>
/// </summary>
public sealed class LocalVolumeWiper(TimeProvider time)
{
    private const int SectorSize = 512;

    /// <summary>As <see cref="IVolumeWiper.WipeVolumeAsync"/>. Directories, links and devices are refused.</summary>
    /// <param name="target">The pool's directory.</param>
    public async Task<VolumeDefinition> WipeAsync(
        string target, string volume, WipeAlgorithm algorithm, Run run, CancellationToken cancellationToken)
    {
        using var directory = LocalDirectory.Open(target);
        using var file = LocalImage.OpenToChange(directory, volume);
        var length = (long)file.Status.Size;
        var hasHoles = file.Allocation < length / SectorSize * SectorSize;
        IReadOnlyList<WipePass> passes = algorithm == WipeAlgorithm.Trim ? [] : WipePasses.Of(algorithm);
        var start = WipeCheckpoint.Start(file.Status, length, algorithm);
        if (run is { Resumed: true, Plan: { } plan } && JsonSerializer.Deserialize<WipeCheckpoint>(plan, StorageJson.Options)!.Continues(start) is { } reached)
            start = reached;
        await run.BeginAsync(cancellationToken);
        var wipe = new FileWipe(file.File, length, file.Path, run.Progress, cancellationToken);
        if (algorithm == WipeAlgorithm.Trim)
        {
            if (!wipe.TryDiscard())
                throw new StorageException(ErrorCodes.Unsupported, $"The file system of {file.Path} cannot discard blocks.", "algorithm");
        }
        else if (algorithm != WipeAlgorithm.Zero || !hasHoles || !wipe.TryDiscard())
        {
            await wipe.OverwriteAsync(passes, start.Pass, start.Offset, WipeCheckpoint.Journal(run, start, time));
        }
        return LocalVolumeReader.Read(directory, volume) ?? throw LocalImage.Missing(directory, volume);
    }
}
