using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// Makes volumes in a local directory: raw and iso files and directories natively, the other formats with qemu-img. A volume is
/// completed under a temporary name and then appears under its own; see <see cref="IVolumeCreator"/>. Files are 0600 and directories
/// 0700 unless the definition says otherwise: for their owner alone, and usable (libvirt's 0600 makes directories that nobody can enter).
/// </summary>
public sealed partial class LocalVolumeCreator(QemuImg qemuImg, ILogger<LocalVolumeCreator> logger)
{
    private const int FileMode = 0x180; // 0600
    private const int DirectoryMode = 0x1C0; // 0700

    /// <summary>As <see cref="IVolumeCreator.CreateVolumeAsync"/>.</summary>
    /// <param name="target">The pool's directory.</param>
    /// <exception cref="StorageException">
    /// Before anything is changed: <see cref="ErrorCodes.VolumeExists"/>, <see cref="ErrorCodes.Unavailable"/> for a format that this
    /// host cannot make, or what is wrong with the definition. While it is made: <see cref="ErrorCodes.NoSpace"/>,
    /// <see cref="ErrorCodes.HostFailure"/>, or the tool's error.
    /// </exception>
    public async Task<VolumeDefinition> CreateAsync(string target, VolumeDefinition definition, Run run, CancellationToken cancellationToken)
    {
        var volume = definition with { Format = definition.Format ?? "raw" };
        VolumeName.CheckNew(volume.Name);
        Check(volume);
        using var directory = LocalDirectory.Open(target);
        var temporary = VolumeName.Temporary(run.OperationId, volume.Name);
        if (run.Resumed)
        {
            directory.Remove(temporary);
            cancellationToken.ThrowIfCancellationRequested();
        }
        if (directory.Has(volume.Name))
            return run.Resumed && Adopt(directory, volume) is { } complete ? complete : throw directory.Taken(volume.Name);
        if (!IsNative(volume))
            await qemuImg.RequireAsync(volume, cancellationToken);
        CheckBackingStore(directory, volume);

        await run.BeginAsync(cancellationToken);
        var published = false;
        try
        {
            await MakeAsync(directory, temporary, volume, run, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (volume.Format == "dir")
                directory.PublishDirectory(temporary, volume.Name);
            else
                directory.Publish(temporary, volume.Name);
            published = true;
            directory.Sync();
            return LocalVolumeReader.Read(directory, volume.Name)
                ?? throw new StorageException(ErrorCodes.HostFailure, $"{directory.PathOf(volume.Name)} vanished while it was made.");
        }
        catch
        {
            Undo(directory, temporary);
            if (published)
                Undo(directory, volume.Name);
            throw;
        }
    }

    private async Task MakeAsync(LocalDirectory directory, string temporary, VolumeDefinition volume, Run run, CancellationToken cancellationToken)
    {
        var path = directory.PathOf(volume.Name);
        if (volume.Format == "dir")
        {
            if (LibC.MakeDirectoryAt(directory.Handle, temporary, DirectoryMode) < 0)
                throw HostErrors.FromLast($"make the directory {path}");
            using var made = Open(directory, temporary, OpenFlags.ReadOnly | OpenFlags.Directory, path);
            Complete(made, volume, DirectoryMode, path);
            return;
        }
        // qemu-img too finds its file made: with a mode that lets nobody else in meanwhile, and certainly not a link to elsewhere.
        using var file = Open(directory, temporary, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive, path);
        if (volume.NoCow)
            LocalDirectory.SetCopyOnWrite(file, copyOnWrite: false, path, "noCow");
        if (IsNative(volume))
        {
            var allocation = Math.Min(volume.Allocation ?? volume.Capacity!.Value, volume.Capacity!.Value);
            RawVolume.Fill(file, volume.Capacity.Value, allocation, path, run.Progress, cancellationToken);
        }
        else
        {
            await qemuImg.CreateAsync(directory.PathOf(temporary), volume, cancellationToken);
        }
        Complete(file, volume, FileMode, path);
    }

    private static SafeFileHandle Open(LocalDirectory directory, string temporary, int flags, string path)
    {
        var handle = LibC.OpenAt(directory.Handle, temporary, flags | OpenFlags.NoFollow | OpenFlags.CloseOnExec, FileMode);
        if (!handle.IsInvalid)
            return handle;
        var errno = HostErrors.Last;
        handle.Dispose();
        throw HostErrors.From(errno, $"create {path}");
    }

    private static void Complete(SafeFileHandle handle, VolumeDefinition volume, int defaultMode, string path)
    {
        var permissions = volume.Permissions;
        LocalDirectory.SetPermissions(handle, permissions?.Owner, permissions?.Group, permissions?.Mode ?? defaultMode, path);
        if (LibC.Sync(handle) < 0 && HostErrors.Last is not (HostErrors.Invalid or HostErrors.NotSupported))
            throw HostErrors.FromLast($"sync {path}");
    }

    private static bool IsNative(VolumeDefinition volume) => volume.Format is "raw" or "iso" or "dir";

    private static void Check(VolumeDefinition volume)
    {
        if (!PoolTypes.FileFormats.Contains(volume.Format!))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"There is no volume format '{volume.Format}'.", "format");
        if (volume.Encryption is not null)
            throw new StorageException(ErrorCodes.Unsupported, "This worker has no source of secrets: it cannot make encrypted volumes.", "encryption");
        if (volume.Capacity < 0 || volume.Allocation < 0)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A size cannot be negative.", volume.Capacity < 0 ? "capacity" : "allocation");
        if (!IsNative(volume))
            return;
        if (volume.BackingStore is not null)
            throw new StorageException(ErrorCodes.Unsupported, $"The format {volume.Format} has no backing store.", "backingStore");
        if (volume.Format != "dir" && volume.Capacity is null)
            throw new StorageException(ErrorCodes.InvalidDefinition, "A volume without a backing store needs a capacity.", "capacity");
        if (volume.Compat is not null || volume.Features is not null || volume.ClusterSize is not null)
            throw new StorageException(
                ErrorCodes.UnsupportedConfiguration, $"The format {volume.Format} has no compat, features or cluster size.", "format");
    }

    /// <summary>A backing store is a file or device that is there and can be read. What it holds is not looked at.</summary>
    private static void CheckBackingStore(LocalDirectory directory, VolumeDefinition volume)
    {
        const string Field = "backingStore.path";
        if (volume.BackingStore is not { } backing)
            return;
        var colon = backing.Path.IndexOf(':');
        var slash = backing.Path.IndexOf('/');
        if (backing.Path.Length == 0 || backing.Path.Any(char.IsControl) || colon >= 0 && (slash < 0 || colon < slash))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, "A backing store is the path of a file or device on the host.", Field);
        if (LibC.Status(directory.Handle, backing.Path, 0, LibC.BasicStatusAndBirth, out var status) < 0
            || LibC.AccessAt(directory.Handle, backing.Path, LibC.ReadPermission, 0) < 0)
            throw HostErrors.FromLast($"read the backing store {backing.Path}", Field);
        if (status.Kind is not (FileKind.Regular or FileKind.BlockDevice))
            throw new StorageException(ErrorCodes.InvalidDefinition, $"The backing store {backing.Path} is neither a file nor a block device.", Field);
        if (backing.Format is { } format && (format == "dir" || !PoolTypes.FileFormats.Contains(format)))
            throw new StorageException(ErrorCodes.UnsupportedConfiguration, $"A backing store cannot have the format '{format}'.", "backingStore.format");
    }

    /// <summary>What is there in a resumed run is the volume that the cut-off run made, unless it cannot be.</summary>
    private static VolumeDefinition? Adopt(LocalDirectory directory, VolumeDefinition wanted) =>
        LocalVolumeReader.Read(directory, wanted.Name) is { } found && VolumeIdentity.CouldBeMadeFrom(wanted, found) ? found : null;

    private void Undo(LocalDirectory directory, string name)
    {
        try
        {
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
