namespace Storage.HostTests;

/// <summary>
/// A real mount that hangs: a FUSE file system of which this process is the server and answers nothing but the greeting, until it is
/// disposed: then every call that hangs in it fails and the mount is gone.
/// </summary>
internal sealed class SilentFileSystem : IDisposable
{
    private readonly FuseMount mount;

    private SilentFileSystem(FuseMount mount) => this.mount = mount;

    /// <param name="path">A directory.</param>
    /// <param name="taking">
    /// Whether requests are read: whoever made one then sleeps deaf to signals, even SIGKILL. Not for calls of this very process, which
    /// could not be ended then.
    /// </param>
    public static SilentFileSystem Mount(string path, bool taking = false)
    {
        var mounted = new SilentFileSystem(FuseMount.Mount(path, "silent"));
        if (taking)
            new Thread(mounted.Take) { IsBackground = true }.Start();
        return mounted;
    }

    public void Dispose() => mount.Dispose();

    private void Take()
    {
        var request = new byte[FuseMount.RequestLength];
        while (mount.Take(request) > 0)
        {
        }
    }
}
