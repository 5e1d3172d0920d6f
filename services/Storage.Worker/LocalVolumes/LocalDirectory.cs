using System.Text;
using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>
/// An open directory of the host: everything is done relative to the handle, so that the directory stays the same one whatever is
/// renamed or mounted meanwhile.
/// </summary>
internal sealed class LocalDirectory : IDisposable
{
    private const string LabelAttribute = "security.selinux";
    private const uint Unchanged = uint.MaxValue;

    private LocalDirectory(string path, SafeFileHandle handle) => (Path, Handle) = (path, handle);

    public string Path { get; }

    public SafeFileHandle Handle { get; }

    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/> with the path: it is not there, no directory, or not readable.</exception>
    public static LocalDirectory Open(string path)
    {
        var handle = LibC.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.CloseOnExec, 0);
        if (!handle.IsInvalid)
            return new(path, handle);
        var errno = HostErrors.Last;
        handle.Dispose();
        throw HostErrors.From(errno, $"open the directory {path}");
    }

    public void Dispose() => Handle.Dispose();

    public string PathOf(string name) => Path.EndsWith('/') ? Path + name : $"{Path}/{name}";

    /// <summary>Whether there is an entry of that name, of whatever kind.</summary>
    public bool Has(string name)
    {
        if (LibC.Status(Handle, name, LibC.NoFollow, LibC.BasicStatusAndBirth, out _) == 0)
            return true;
        return HostErrors.Last == HostErrors.NotFound ? false : throw HostErrors.FromLast($"look at {PathOf(name)}");
    }

    /// <summary>Gives a complete entry its final name. Nothing that is there is replaced, and there is no moment with half of it.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.VolumeExists"/> where the name is taken.</exception>
    public void Publish(string temporary, string name)
    {
        if (LibC.RenameAt(Handle, temporary, Handle, name, LibC.NoReplace) == 0)
            return;
        // NFS and some others cannot rename without replacing; those that can link, link.
        if (HostErrors.Last is HostErrors.Invalid or HostErrors.NotImplemented or HostErrors.NotSupported
            && LibC.LinkAt(Handle, temporary, Handle, name, 0) == 0)
        {
            Remove(temporary);
            return;
        }
        throw HostErrors.Last == HostErrors.Exists ? Taken(name) : HostErrors.FromLast($"name the new volume {PathOf(name)}");
    }

    /// <summary>As <see cref="Publish"/>, for a directory: where it cannot be linked, its name is taken by an empty one that the rename replaces.</summary>
    public void PublishDirectory(string temporary, string name)
    {
        if (LibC.RenameAt(Handle, temporary, Handle, name, LibC.NoReplace) == 0)
            return;
        if (HostErrors.Last is HostErrors.Invalid or HostErrors.NotImplemented or HostErrors.NotSupported
            && LibC.MakeDirectoryAt(Handle, name, 0) == 0)
        {
            if (LibC.RenameAt(Handle, temporary, Handle, name, 0) == 0)
                return;
            var errno = HostErrors.Last;
            Remove(name);
            throw HostErrors.From(errno, $"name the new volume {PathOf(name)}");
        }
        throw HostErrors.Last == HostErrors.Exists ? Taken(name) : HostErrors.FromLast($"name the new volume {PathOf(name)}");
    }

    public StorageException Taken(string name) => new(new StorageError(
        ErrorCodes.VolumeExists, $"There is a volume '{name}' in {Path} already.", "name", Resource: PathOf(name)));

    /// <summary>Removes a file, or a directory that is empty. One that is gone already is removed.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> for a directory that is not empty.</exception>
    public void Remove(string name)
    {
        if (LibC.UnlinkAt(Handle, name, 0) == 0 || HostErrors.Last == HostErrors.NotFound)
            return;
        var errno = HostErrors.Last;
        // Linux says IsDirectory, POSIX and some file systems NotPermitted.
        if (errno is HostErrors.IsDirectory or HostErrors.NotPermitted)
        {
            if (LibC.UnlinkAt(Handle, name, LibC.RemoveDirectory) == 0)
                return;
            if (HostErrors.Last != HostErrors.NotDirectory)
                errno = HostErrors.Last;
        }
        throw errno is HostErrors.NotEmpty or HostErrors.Exists ? NotEmpty(name) : HostErrors.From(errno, $"remove {PathOf(name)}");
    }

    /// <summary>Refuses a directory that <see cref="Remove"/> would refuse. One that cannot be read is not judged.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/>.</exception>
    public void RequireEmpty(string name)
    {
        using var entry = LibC.OpenAt(Handle, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec, 0);
        if (!entry.IsInvalid && DirectoryNames.Read(entry, PathOf(name), CancellationToken.None) is not { Entries.Count: 0, Skipped: 0 })
            throw NotEmpty(name);
    }

    private StorageException NotEmpty(string name) => new(new StorageError(
        ErrorCodes.InvalidState, $"The directory {PathOf(name)} is not empty.", Resource: PathOf(name)));

    /// <summary>Gives an entry a name that nothing else has.</summary>
    public void MoveAway(string name, string temporary)
    {
        if (LibC.RenameAt(Handle, name, Handle, temporary, 0) < 0 && HostErrors.Last != HostErrors.NotFound)
            throw HostErrors.FromLast($"remove {PathOf(name)}");
    }

    /// <summary>As <see cref="Remove"/>, with the files in a directory; what is a directory in it stays, and so does it.</summary>
    public void RemoveWithFiles(string name)
    {
        using var entry = LibC.OpenAt(Handle, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec, 0);
        if (!entry.IsInvalid)
        {
            foreach (var file in DirectoryNames.Read(entry, PathOf(name), CancellationToken.None).Entries)
                _ = LibC.UnlinkAt(entry, file.Name, 0);
        }
        Remove(name);
    }

    /// <summary>Makes the names durable. File systems that cannot sync a directory are left alone.</summary>
    public void Sync()
    {
        if (LibC.Sync(Handle) < 0 && HostErrors.Last is not (HostErrors.Invalid or HostErrors.NotSupported))
            throw HostErrors.FromLast($"sync the directory {Path}");
    }

    /// <summary>Sets what is given: owner and group, the security label (as SELinux keeps it, xattr(7)), then the mode.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> for a label where the file system keeps none.</exception>
    public static unsafe void SetPermissions(SafeFileHandle handle, Permissions permissions, string path)
    {
        if ((permissions.Owner ?? permissions.Group) is not null
            && LibC.ChangeOwner(handle, (uint?)permissions.Owner ?? Unchanged, (uint?)permissions.Group ?? Unchanged) < 0)
            throw HostErrors.FromLast($"change the owner of {path}", "permissions");
        if (permissions.Label is { } label)
        {
            // With the zero at its end, as SELinux's own tools write it.
            var bytes = Encoding.UTF8.GetBytes(label + '\0');
            fixed (byte* value = bytes)
            {
                if (LibC.SetAttribute(handle, LabelAttribute, value, (nuint)bytes.Length, 0) < 0)
                    throw HostErrors.Last == HostErrors.NotSupported
                        ? new StorageException(ErrorCodes.Unsupported, $"The file system of {path} keeps no security labels.", "permissions.label")
                        : HostErrors.FromLast($"label {path}", "permissions.label");
            }
        }
        if (permissions.Mode is { } bits && LibC.ChangeMode(handle, (uint)bits) < 0)
            throw HostErrors.FromLast($"change the mode of {path}", "permissions");
    }

    /// <summary>The security label of an open file or directory; null where it has none, as on hosts without SELinux.</summary>
    public static unsafe string? ReadLabel(SafeFileHandle handle)
    {
        const int Longest = 1024;
        var buffer = stackalloc byte[Longest];
        var length = (int)LibC.GetAttribute(handle, LabelAttribute, buffer, Longest);
        return length <= 0 ? null : DirectoryNames.Text(new ReadOnlySpan<byte>(buffer, length).TrimEnd((byte)0));
    }

    /// <summary>The path that a handle is open at, as the kernel knows it: without symbolic links.</summary>
    public static unsafe string RealPath(SafeFileHandle handle)
    {
        const int Longest = 4096;
        var buffer = stackalloc byte[Longest];
        var length = LibC.ReadLink(ProcPath(handle), buffer, Longest);
        return length < 0 ? throw HostErrors.FromLast("resolve a path") : Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <summary>Whether a real path is that of something in the directory or below it.</summary>
    public static bool IsWithin(string realPath, LocalDirectory directory) => IsBelow(realPath, RealPath(directory.Handle));

    /// <summary>Whether a path is below another, as texts.</summary>
    public static bool IsBelow(string path, string directory) =>
        path.StartsWith(directory.EndsWith('/') ? directory : directory + "/", StringComparison.Ordinal);

    public static string ProcPath(SafeFileHandle handle) => $"/proc/self/fd/{handle.DangerousGetHandle()}";
}
