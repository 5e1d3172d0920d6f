namespace Storage.HostTests;

/// <summary>The kernel's NFS server on the loopback address of the lab VM, versions 3 and 4. Started by the first who exports something.</summary>
internal static class LabNfsServer
{
    private const string Start = """
        if [ ! -e /run/lab-nfs ]; then
          modprobe -a nfsd lockd nfs nfsv3 nfsv4
          mount -t nfsd nfsd /proc/fs/nfsd 2>/dev/null || true
          # Nobody had a lock before it started: locks need not wait for those who come back.
          echo 1 >/proc/sys/fs/nfs/nlm_grace_period
          echo 10 >/proc/fs/nfsd/nfsv4leasetime
          echo 10 >/proc/fs/nfsd/nfsv4gracetime
          rpcbind -w
          rpc.statd --no-notify
          rpc.nfsd -V 3 -N 4.0 4
          rpc.mountd
          mkdir -p /srv
          touch /run/lab-nfs
        fi

        """;

    /// <summary>Exports a new file system.</summary>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="client">The address of who may mount it.</param>
    /// <param name="options">More options of exports(5).</param>
    /// <returns>Its directory on the server.</returns>
    public static string Export(HostUnderTest host, long size, string client, string options) => host.Shell($"""
        {Start}
        directory=$(mktemp -d /srv/nfs-XXXXXX)
        truncate -s {size} $directory.device
        mkfs.ext4 -q $directory.device
        mount -o loop $directory.device $directory
        chmod 755 $directory
        exportfs -o rw,insecure,no_subtree_check,{options} {Of(client)}:$directory
        echo $directory
        """).Trim();

    public static void Remove(HostUnderTest host, string directory, string client) => host.Shell($"""
        exportfs -u {Of(client)}:{directory}
        exportfs -f
        umount --lazy {directory}
        rm -r {directory} {directory}.device
        """);

    /// <summary>From now on nobody answers, and what is asked of the server waits.</summary>
    public static void Stop(HostUnderTest host) => host.Shell("rpc.nfsd 0");

    public static void StartAgain(HostUnderTest host) => host.Shell("rpc.nfsd -V 3 -N 4.0 4");

    private static string Of(string client) => client.Contains(':', StringComparison.Ordinal) ? $"'[{client}]'" : client;
}
