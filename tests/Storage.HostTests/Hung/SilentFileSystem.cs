using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Storage.HostTests;

/// <summary>
/// A real mount that hangs: a FUSE file system of which this process is the server and answers nothing but the greeting, until it is
/// disposed: then every call that hangs in it fails and the mount is gone.
/// </summary>
internal sealed partial class SilentFileSystem : IDisposable
{
    private const int ReadWriteCloseOnExec = 0x8_0002;
    private const int ForceAndDetach = 3;
    private const int InHeader = 40;
    private const int OutHeader = 16;
    private const int Greeting = 64;

    private readonly SafeFileHandle server;
    private readonly string path;

    private SilentFileSystem(SafeFileHandle server, string path) => (this.server, this.path) = (server, path);

    /// <param name="path">A directory.</param>
    /// <param name="taking">
    /// Whether requests are read: whoever made one then sleeps deaf to signals, even SIGKILL. Not for calls of this very process, which
    /// could not be ended then.
    /// </param>
    public static SilentFileSystem Mount(string path, bool taking = false)
    {
        Requires.Root();
        var server = Open("/dev/fuse", ReadWriteCloseOnExec);
        if (server.IsInvalid)
            throw Requires.Missing($"/dev/fuse cannot be opened: {Error()}");
        if (Mount("silent", path, "fuse.silent", 0, $"fd={server.DangerousGetHandle()},rootmode=40000,user_id=0,group_id=0") != 0)
            throw Requires.Missing($"a FUSE file system cannot be mounted: {Error()}");
        var mounted = new SilentFileSystem(server, path);
        mounted.Greet();
        if (taking)
            new Thread(mounted.Take) { IsBackground = true }.Start();
        return mounted;
    }

    public void Dispose()
    {
        _ = Unmount(path, ForceAndDetach);
        server.Dispose();
    }

    private void Greet()
    {
        var request = new byte[256 << 10];
        if (Read(server, request, request.Length) < InHeader)
            throw new InvalidOperationException($"The kernel did not greet: {Error()}");
        var answer = new byte[OutHeader + Greeting];
        BinaryPrimitives.WriteInt32LittleEndian(answer, answer.Length);
        request.AsSpan(8, 8).CopyTo(answer.AsSpan(8)); // Which request.
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(OutHeader), 7); // The protocol is 7.31.
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(OutHeader + 4), 31);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(OutHeader + 20), 4096); // The longest write.
        if (Write(server, answer, answer.Length) != answer.Length)
            throw new InvalidOperationException($"The greeting was not taken: {Error()}");
    }

    private void Take()
    {
        var request = new byte[256 << 10];
        while (Read(server, request, request.Length) > 0)
        {
        }
    }

    private static string Error() => Marshal.GetLastPInvokeErrorMessage();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte[] buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte[] buffer, nint length);
}
