using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// How every new volume of a local directory comes about: completed under a temporary name, then given its own; see
/// <see cref="IVolumeCreator"/>. Files are 0600 and directories 0700 unless the definition says otherwise: for their owner alone, and
/// usable (libvirt's 0600 makes directories that nobody can enter).
/// </summary>
internal sealed partial class NewVolume(LocalDirectory directory, VolumeDefinition volume, Run run, ILogger logger)
{
    private const int FileMode = 0x180; // 0600
    private const int DirectoryMode = 0x1C0; // 0700
    private const int Attempts = 8;

    private readonly string temporary = VolumeName.Temporary(run.OperationId, volume.Name);

    /// <summary>The path that it is going to have.</summary>
    public string Path => directory.PathOf(volume.Name);

    /// <summary>Removes what a cut-off run left half done. First of all, as whatever comes then may fail.</summary>
    public static void RemoveHalfDone(LocalDirectory directory, string volume, Run run)
    {
        if (run.Resumed)
            directory.RemoveWithFiles(VolumeName.Temporary(run.OperationId, volume));
    }

    /// <returns>The volume, where the cut-off run had completed it; null where the name is free.</returns>
    /// <exception cref="StorageException"><see cref="ErrorCodes.VolumeExists"/> where the name is taken.</exception>
    public VolumeDefinition? FindComplete()
    {
        if (!directory.Has(volume.Name))
            return null;
        // What is there in a resumed run is the volume that the cut-off run made, unless it cannot be.
        return run.Resumed && LocalVolumeReader.Read(directory, volume.Name) is { } found && VolumeIdentity.CouldBeMadeFrom(volume, found)
            ? found
            : throw directory.Taken(volume.Name);
    }

    /// <summary>The volume that a resumed run was making, where it was completed: also where what it was made from is gone since. Null where it is to be made.</summary>
    /// <exception cref="StorageException">As <see cref="FindComplete"/>.</exception>
    public static VolumeDefinition? FindPlanned(LocalDirectory directory, Run run, ILogger logger) => run is { Resumed: true, Plan: { } plan }
        ? new NewVolume(directory, JsonSerializer.Deserialize<VolumeDefinition>(plan, StorageJson.Options)!, run, logger).FindComplete()
        : null;

    /// <param name="fill">Is told the path of the empty directory; null leaves it empty.</param>
    public Task<VolumeDefinition> MakeDirectoryAsync(CancellationToken cancellationToken, Func<string, Task>? fill = null) => MakeAsync(
        async () =>
        {
            if (LibC.MakeDirectoryAt(directory.Handle, temporary, DirectoryMode) < 0)
                throw HostErrors.FromLast($"make the directory {Path}");
            if (fill is not null)
                await fill(directory.PathOf(temporary));
            using var made = Open(OpenFlags.ReadOnly | OpenFlags.Directory);
            Complete(made, DirectoryMode, cancellationToken);
        },
        directory.PublishDirectory, cancellationToken);

    /// <param name="fill">
    /// Gives the empty file its content; it is also told the file's path, for a tool. Asked again, for another file, where
    /// <see cref="QemuImg.GaveUpMeasuring"/>.
    /// </param>
    public Task<VolumeDefinition> MakeFileAsync(Func<SafeFileHandle, string, Task> fill, CancellationToken cancellationToken) => MakeAsync(
        async () =>
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await MakeFileOnceAsync(fill, cancellationToken);
                    return;
                }
                catch (StorageException e) when (attempt < Attempts && QemuImg.GaveUpMeasuring(e))
                {
                    directory.RemoveWithFiles(temporary);
                }
            }
        },
        directory.Publish, cancellationToken);

    /// <summary>Begins a file that is made with others, see <see cref="NewFiles"/>.</summary>
    /// <param name="fill">Gives the empty file its content; it is also told the path that the volume is going to have.</param>
    public SafeFileHandle Begin(Action<SafeFileHandle, string> fill)
    {
        var file = Open(OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive);
        try
        {
            if (volume.NoCow)
                FileSystemKind.SetCopyOnWrite(file, copyOnWrite: false, Path, "noCow");
            fill(file, Path);
            SetPermissions(file, FileMode);
            return file;
        }
        catch
        {
            file.Dispose();
            Abandon();
            throw;
        }
    }

    /// <summary>Gives the file that was begun its name, which is not durable by that.</summary>
    public VolumeDefinition Publish(SafeFileHandle file)
    {
        directory.Publish(temporary, volume.Name);
        try
        {
            return LocalVolumeReader.Read(directory, volume.Name, file)
                ?? throw new StorageException(ErrorCodes.HostFailure, $"{Path} vanished while it was made.");
        }
        catch
        {
            Undo(volume.Name, withFiles: false);
            throw;
        }
    }

    /// <summary>Removes the file that was begun and has no name yet.</summary>
    public void Abandon() => Undo(temporary, withFiles: false);

    private async Task MakeFileOnceAsync(Func<SafeFileHandle, string, Task> fill, CancellationToken cancellationToken)
    {
        // A tool too finds its file made: with a mode that lets nobody else in meanwhile, and certainly not a link to elsewhere.
        using var file = Open(OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive);
        if (volume.NoCow)
            FileSystemKind.SetCopyOnWrite(file, copyOnWrite: false, Path, "noCow");
        await fill(file, directory.PathOf(temporary));
        if (LibC.Status(file, "", LibC.EmptyPath, LibC.BasicStatusAndBirth, out var status) == 0 && status.LinkCount == 0)
            throw new StorageException(ErrorCodes.HostFailure, $"The file of {Path} was removed while it was made.");
        Complete(file, FileMode, cancellationToken);
    }

    private async Task<VolumeDefinition> MakeAsync(Func<Task> make, Action<string, string> publish, CancellationToken cancellationToken)
    {
        await run.BeginAsync(cancellationToken);
        var published = false;
        try
        {
            await make();
            cancellationToken.ThrowIfCancellationRequested();
            publish(temporary, volume.Name);
            published = true;
            directory.Sync();
            return LocalVolumeReader.Read(directory, volume.Name)
                ?? throw new StorageException(ErrorCodes.HostFailure, $"{Path} vanished while it was made.");
        }
        catch
        {
            // Under the temporary name all of it is ours; under its own, somebody may have put a file into a directory already.
            Undo(published ? volume.Name : temporary, withFiles: !published || volume.Format == Ploop.Format);
            throw;
        }
    }

    private SafeFileHandle Open(int flags)
    {
        var handle = LibC.OpenAt(directory.Handle, temporary, flags | OpenFlags.NoFollow | OpenFlags.CloseOnExec, FileMode);
        if (!handle.IsInvalid)
            return handle;
        var errno = HostErrors.Last;
        handle.Dispose();
        throw HostErrors.From(errno, $"create {Path}");
    }

    private void SetPermissions(SafeFileHandle handle, int defaultMode)
    {
        var permissions = volume.Permissions ?? new Permissions();
        LocalDirectory.SetPermissions(handle, permissions with { Mode = permissions.Mode ?? defaultMode }, Path);
    }

    private void Complete(SafeFileHandle handle, int defaultMode, CancellationToken cancellationToken)
    {
        SetPermissions(handle, defaultMode);
        FileFlush.Complete(handle, Path, cancellationToken);
    }

    private void Undo(string name, bool withFiles)
    {
        try
        {
            if (withFiles)
                directory.RemoveWithFiles(name);
            else
                directory.Remove(name);
        }
        catch (StorageException e)
        {
            LeftBehind(directory.PathOf(name), e);
        }
    }

    [LoggerMessage(2010, LogLevel.Error, "{Path} could not be removed after a failed creation")]
    private partial void LeftBehind(string path, Exception cause);
}
