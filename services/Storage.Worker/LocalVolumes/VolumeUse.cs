using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Whether anybody else uses a file: what a guest writes to must not be deleted, overwritten or cut off under it. The kernel is asked
/// first, by a write lease (fcntl(2), F_SETLEASE: given only where no other open file description is), which costs next to nothing and
/// also sees what no list of processes shows: loop devices, mappings of files that are closed, processes of other namespaces. Only where
/// it refuses, or its file system has no leases, is it looked for who it is. A server that gives no lease has said nothing of users.
/// </summary>
internal static class VolumeUse
{
    // Whoever only looks (a refresh, a backup) is gone by then.
    private const int Looks = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Refuses a file that another process has open or mapped, or that is behind a loop device. Directories, links and devices are not judged.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InUse"/>; the message names who uses it.</exception>
    public static void RequireUnused(LocalDirectory directory, string name)
    {
        using var file = LibC.OpenAt(
            directory.Handle, name, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking | OpenFlags.NoTerminal | OpenFlags.CloseOnExec, 0);
        if (!file.IsInvalid)
            RequireUnused(file, directory.PathOf(name));
    }

    /// <param name="file">The file, open once here.</param>
    /// <param name="path">As it is named in the answer.</param>
    public static void RequireUnused(SafeFileHandle file, string path)
    {
        if (LibC.Status(file, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) < 0 || status.Kind != FileKind.Regular)
            return;
        for (var look = 1; IsAlone(file) is not true and var alone; look++)
        {
            List<string> users = [.. OpenFiles.HoldersOf(status).Select(holder => holder.ToString())];
            if (LoopDevices.Of(status) is { } loop)
                users.Add(loop);
            if (users.Count > 0)
                throw InUse(path, OpenFiles.ByWhom(users));
            if (alone is null || FileSystemKind.IsLeasedByServer(file, path))
                return;
            if (look == Looks)
                throw InUse(path, " by somebody who is not seen from here: a mapping of it, or a process of another namespace");
            Thread.Sleep(Pause);
        }
    }

    /// <returns>Null where the file system has no leases.</returns>
    private static bool? IsAlone(SafeFileHandle file)
    {
        // Whoever opens it in the moment of the lease waits, and we are told by a signal: one that is ignored, as the usual one ends a process.
        if (LibC.Command(file, LibC.SetLeaseSignal, LibC.UrgentSignal) < 0)
            return null;
        if (LibC.Command(file, LibC.SetLease, LibC.WriteLease) < 0)
            return HostErrors.Last == HostErrors.TryAgain ? false : null;
        _ = LibC.Command(file, LibC.SetLease, LibC.Unlease);
        return true;
    }

    private static StorageException InUse(string path, string byWhom) =>
        new(new StorageError(ErrorCodes.InUse, $"{path} is in use{byWhom}.", Resource: path, Retryable: true));
}
