using Storage.Contracts;

namespace Storage.Worker;

/// <summary>The target directory of a pool: made, looked for and removed.</summary>
public static class LocalTarget
{
    private const uint ParentMode = 0x1ED; // 0755
    private const uint PrivateMode = 0x1C0; // 0700
    private const int DefaultMode = 0x1C9; // 0711

    /// <summary>The target path of a definition.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidDefinition"/> unless it is absolute, without <c>..</c> and control characters.</exception>
    public static string PathOf(PoolDefinition pool) =>
        pool.Target.Path is { } path && path.StartsWith('/') && !path.Split('/').Contains("..") && !path.Any(char.IsControl)
            ? path
            : throw new StorageException(
                ErrorCodes.InvalidDefinition, "The target path must be absolute, without '..' and control characters.", "target.path");

    /// <summary>A new volume has owner, group and label of its pool's definition where its own says none. A mode is its own: a directory's is none for a file.</summary>
    public static VolumeDefinition WithOwnerOf(PoolDefinition pool, VolumeDefinition volume)
    {
        if (pool.Target.Permissions is not { } ours)
            return volume;
        var own = volume.Permissions ?? new Permissions();
        return volume with { Permissions = own with { Owner = own.Owner ?? ours.Owner, Group = own.Group ?? ours.Group, Label = own.Label ?? ours.Label } };
    }

    /// <summary>Whether the directory is there.</summary>
    public static bool Exists(string path) => Directory.Exists(path);

    /// <summary>Opens the directory, and asks its file system how it is: one that does not answer hangs here.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.HostFailure"/> with the reason: it is not usable.</exception>
    public static void RequireUsable(string path)
    {
        using var directory = LocalDirectory.Open(path);
        if (LibC.FileSystem(directory.Handle, out _) < 0)
            throw HostErrors.FromLast($"use {path}");
    }

    /// <summary>
    /// Makes the directory with its missing parents (0755 less the umask), or takes the one that is there. A new one has mode 0711
    /// unless another is given; one that is there keeps its mode and owner where none is given. A failure removes what was made.
    /// </summary>
    /// <param name="copyOnWrite">Null leaves it to the file system; anything else needs btrfs.</param>
    public static void Build(string path, Permissions? permissions, bool? copyOnWrite)
    {
        var made = new Stack<string>();
        try
        {
            MakeParents(path, made);
            var isNew = Make(path, PrivateMode, made);
            using var directory = LocalDirectory.Open(path);
            if (copyOnWrite is { } wanted)
                FileSystemKind.SetCopyOnWrite(directory.Handle, wanted, path, "copyOnWrite");
            LocalDirectory.SetPermissions(
                directory.Handle, (permissions ?? new Permissions()) with { Mode = permissions?.Mode ?? (isNew ? DefaultMode : null) }, path);
            directory.Sync();
        }
        catch
        {
            while (made.TryPop(out var directory))
                _ = LibC.RemoveDirectoryAtPath(directory);
            throw;
        }
    }

    /// <summary>Switches copying on write on or off for what is made in the directory from now on.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> on other file systems than btrfs.</exception>
    public static void SetCopyOnWrite(string path, bool copyOnWrite)
    {
        using var directory = LocalDirectory.Open(path);
        FileSystemKind.SetCopyOnWrite(directory.Handle, copyOnWrite, path, "copyOnWrite");
    }

    /// <summary>Removes the directory. One that is gone already is removed.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.InvalidState"/> while it is not empty.</exception>
    public static void Remove(string path)
    {
        if (LibC.RemoveDirectoryAtPath(path) == 0 || HostErrors.Last == HostErrors.NotFound)
            return;
        throw HostErrors.Last is HostErrors.NotEmpty or HostErrors.Exists
            ? new StorageException(new StorageError(ErrorCodes.InvalidState, $"The directory {path} is not empty.", Resource: path))
            : HostErrors.FromLast($"remove the directory {path}");
    }

    private static void MakeParents(string path, Stack<string> made)
    {
        for (var slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (path[slash..].Trim('/').Length > 0)
                Make(path[..slash], ParentMode, made);
        }
    }

    private static bool Make(string path, uint mode, Stack<string> made)
    {
        if (LibC.MakeDirectory(path, mode) == 0)
        {
            made.Push(path);
            return true;
        }
        // Some file systems say that they are read-only, or no place to make directories, before they say that it is there.
        var errno = HostErrors.Last;
        return Directory.Exists(path) ? false : throw HostErrors.From(errno, $"make the directory {path}");
    }
}
