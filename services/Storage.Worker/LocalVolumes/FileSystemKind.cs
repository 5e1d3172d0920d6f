using Microsoft.Win32.SafeHandles;
using Storage.Contracts;

namespace Storage.Worker;

/// <summary>What depends on the kind of file system that an open file or directory is on.</summary>
internal static class FileSystemKind
{
    private const long NoCopyOnWriteFlag = 0x0080_0000;
    private const uint Btrfs = 0x9123_683E;

    /// <summary>NFS, SMB, CIFS, SMB 2, FUSE, Ceph, 9P, AFS, Lustre, GFS2, OCFS2, VirtioFS through FUSE: others change them unseen by this kernel.</summary>
    private static readonly HashSet<uint> Shared =
        [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x6573_5546, 0x00C3_6400, 0x0102_1997, 0x5346_414F, 0x0BD0_0BD0, 0x0116_1970, 0x7461_636F];

    /// <summary>CIFS, SMB 2.</summary>
    private static readonly HashSet<uint> Smb = [0xFF53_4D42, 0xFE53_4D42];

    /// <summary>NFS, CIFS, SMB 2.</summary>
    private static readonly HashSet<uint> LeasedByServer = [0x6969, .. Smb];

    /// <summary>
    /// Ext2 to ext4, XFS, btrfs: a sync that hangs there cannot be interrupted, whoever waits for it. Elsewhere, a thread that waits for a server can
    /// be ended with its process, and the kernel's own threads cannot.
    /// </summary>
    private static readonly HashSet<uint> Local = [0xEF53, 0x5846_5342, Btrfs];

    /// <summary>Whether other machines or programs may change what is in a directory without this kernel's knowing.</summary>
    public static bool IsShared(LocalDirectory directory) => Shared.Contains(Of(directory.Handle, directory.Path, null));

    /// <summary>Whether a file's leases are given by its server, which may refuse one to the only user.</summary>
    public static bool IsLeasedByServer(SafeFileHandle file, string path) => LeasedByServer.Contains(Of(file, path, null));

    /// <summary>Whether the kernel may be left to sync a file while its process ends.</summary>
    public static bool IsLocal(SafeFileHandle file, string path) => Local.Contains(Of(file, path, null));

    /// <summary>Whether a file is on a server of SMB.</summary>
    public static bool IsSmb(SafeFileHandle file, string path) => Smb.Contains(Of(file, path, null));

    /// <summary>Switches copying on write on or off for what is made from now on in a directory, or for an empty file. Only btrfs can.</summary>
    /// <exception cref="StorageException"><see cref="ErrorCodes.Unsupported"/> on other file systems.</exception>
    public static void SetCopyOnWrite(SafeFileHandle handle, bool copyOnWrite, string path, string field)
    {
        if (Of(handle, path, field) != Btrfs)
            throw new StorageException(ErrorCodes.Unsupported, $"The file system of {path} is not btrfs: copy-on-write cannot be set.", field);
        long flags = 0;
        if (LibC.Control(handle, LibC.GetFlags, ref flags) < 0)
            throw HostErrors.FromLast($"read the flags of {path}", field);
        flags = copyOnWrite ? flags & ~NoCopyOnWriteFlag : flags | NoCopyOnWriteFlag;
        if (LibC.Control(handle, LibC.SetFlags, ref flags) < 0)
            throw HostErrors.FromLast($"set copy-on-write of {path}", field);
    }

    private static unsafe uint Of(SafeFileHandle handle, string path, string? field)
    {
        var status = stackalloc byte[256];
        return LibC.FileSystemType(handle, status) < 0
            ? throw HostErrors.FromLast($"look at the file system of {path}", field)
            : (uint)*(long*)status;
    }
}
