using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// The volumes of a pool that is a directory on this host, whatever is mounted there. Source of fact: the directory itself. Every
/// call opens it anew by its path; a directory that is not there is a <see cref="ErrorCodes.HostFailure"/>. Made by
/// <see cref="LocalVolumeCreator"/>.
/// </summary>
public static class LocalVolumeFiles
{
    private const int EntriesPerProgress = 256;

    /// <summary>
    /// As <see cref="IPoolBackend.RefreshAsync"/>. Not recursive: a sub-directory is a volume of format <c>dir</c>. Capacity and
    /// allocation are those of the file system; available is what an ordinary user may still take, without the blocks that are kept
    /// for root, so that it can be less than capacity - allocation. (libvirt counts those as available.)
    /// </summary>
    /// <param name="headers">What need not be read again; null reads every file.</param>
    public static async Task<PoolObservation> ObserveAsync(
        string target, Func<VolumeDefinition, ValueTask> onVolume, Run run, CancellationToken cancellationToken, KnownHeaders? headers = null)
    {
        using var directory = LocalDirectory.Open(target);
        var (entries, skipped) = DirectoryNames.Read(directory.Handle, target, cancellationToken);
        await using var reads = new SideBySideReads(entries, entry => Read(directory, entry, headers));
        var volumes = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            cancellationToken.ThrowIfCancellationRequested();
            if (i % EntriesPerProgress == 0)
                run.Progress.Report(new OperationProgress(100.0 * i / entries.Count));
            var read = await reads.NextAsync();
            if (VolumeName.IsTemporary(entry.Name))
            {
                await RemoveLeftBehindAsync(directory, entry.Name, run);
                continue;
            }
            if (read is not { } volume)
            {
                skipped++;
                continue;
            }
            volumes++;
            await onVolume(volume);
        }
        if (LibC.Status(directory.Handle, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0)
            throw HostErrors.FromLast($"look at {target}");
        var (capacity, allocation, available, _) = ReadSpace(directory);
        return new PoolObservation(
            PoolState.Running,
            capacity,
            allocation,
            available,
            new Permissions(status.Permissions, status.Owner, status.Group, LocalDirectory.ReadLabel(directory.Handle)),
            volumes,
            skipped,
            Directory: LocalDirectory.RealPath(directory.Handle));
    }

    /// <summary>As <see cref="IPoolSpace.ReadSpaceAsync"/>.</summary>
    public static PoolSpace ReadSpace(string target)
    {
        using var directory = LocalDirectory.Open(target);
        return ReadSpace(directory);
    }

    private static VolumeDefinition? Read(LocalDirectory directory, DirectoryEntry entry, KnownHeaders? headers) =>
        VolumeName.IsTemporary(entry.Name) ? null : LocalVolumeReader.Read(directory, entry.Name, entry.Kind, headers);

    private static PoolSpace ReadSpace(LocalDirectory directory) =>
        LibC.FileSystem(directory.Handle, out var fileSystem) < 0
            ? throw HostErrors.FromLast($"look at {directory.Path}")
            : new PoolSpace(
                Bytes(fileSystem.Blocks, fileSystem.FragmentSize),
                Bytes(fileSystem.Blocks - Math.Min(fileSystem.Blocks, fileSystem.FreeBlocks), fileSystem.FragmentSize),
                Bytes(fileSystem.AvailableBlocks, fileSystem.FragmentSize));

    /// <summary>A worker that was killed while storage hung could not undo what it had begun, and has told the end of it before.</summary>
    private static async Task RemoveLeftBehindAsync(LocalDirectory directory, string name, Run run)
    {
        if (VolumeName.OperationOf(name) is not { } operation || !await run.HasEndedAsync(operation))
            return;
        try
        {
            directory.RemoveWithFiles(name);
        }
        catch (StorageException)
        {
            // Where nothing can be removed now, the next refresh tries again.
        }
    }

    /// <summary>Reads one volume; null where there is none of that name.</summary>
    public static VolumeDefinition? Read(string target, string volume)
    {
        if (!VolumeName.IsEntry(volume) || VolumeName.IsTemporary(volume))
            return null;
        using var directory = LocalDirectory.Open(target);
        return LocalVolumeReader.Read(directory, volume);
    }

    /// <summary>As <see cref="IVolumeUsers.RequireUnusedAsync"/>.</summary>
    public static void RequireUnused(string target, string volume)
    {
        LocalImage.CheckName(volume);
        using var directory = LocalDirectory.Open(target);
        VolumeUse.RequireUnused(directory, volume);
        Ploop.RequireUnused(directory, volume);
    }

    /// <summary>
    /// Removes a file, a symbolic link (not what it points to), an empty directory, or a ploop volume with its files. One that is gone
    /// already is deleted. Durable when it returns.
    /// </summary>
    /// <exception cref="StorageException">
    /// <see cref="ErrorCodes.InvalidState"/> for a directory that is not empty; <see cref="ErrorCodes.InvalidArgument"/> for a name
    /// that is no entry of the directory.
    /// </exception>
    public static async Task DeleteAsync(string target, string volume, Run run, CancellationToken cancellationToken)
    {
        LocalImage.CheckName(volume);
        using var directory = LocalDirectory.Open(target);
        await run.BeginAsync(cancellationToken);
        Remove(directory, volume, run);
        directory.Sync();
    }

    /// <summary>The part of <see cref="DeleteAsync"/> that is done for each of many.</summary>
    internal static void Remove(LocalDirectory directory, string volume, Run run)
    {
        var temporary = VolumeName.Temporary(run.OperationId, volume);
        var hasFiles = Ploop.Is(directory, volume);
        // All of it is gone at once, and what is cut off then is removed by the resumed run or a refresh.
        if (hasFiles)
            directory.MoveAway(volume, temporary);
        else
            directory.Remove(volume);
        if (hasFiles || run.Resumed)
            directory.RemoveWithFiles(temporary);
    }

    private static long Bytes(ulong blocks, ulong size) => (long)UInt128.Min((UInt128)blocks * size, long.MaxValue);
}
