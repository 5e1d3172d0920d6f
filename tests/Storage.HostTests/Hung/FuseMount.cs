using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Storage.HostTests;

/// <summary>A FUSE file system of which this process is the server, until it is disposed: then calls that wait in it fail and it is gone.</summary>
internal sealed partial class FuseMount : IDisposable
{
    public const int RequestLength = 256 << 10;
    public const int InHeader = 40;
    public const int OutHeader = 16;

    private const int ReadWriteCloseOnExec = 0x8_0002;
    private const int ForceAndDetach = 3;
    private const int Greeting = 64;
    private const int LooksUpSideBySide = 1 << 18;

    private readonly SafeFileHandle server;
    private readonly string path;

    private FuseMount(SafeFileHandle server, string path) => (this.server, this.path) = (server, path);

    /// <summary>It is mounted and has greeted the kernel.</summary>
    /// <param name="path">A directory.</param>
    /// <param name="name">What it is called in the table of mounts.</param>
    public static FuseMount Mount(string path, string name)
    {
        Requires.Root();
        var server = Open("/dev/fuse", ReadWriteCloseOnExec);
        if (server.IsInvalid)
            throw Requires.Missing($"/dev/fuse cannot be opened: {Error()}");
        if (Mount(name, path, $"fuse.{name}", 0, $"fd={server.DangerousGetHandle()},rootmode=40000,user_id=0,group_id=0") != 0)
            throw Requires.Missing($"a FUSE file system cannot be mounted: {Error()}");
        var mounted = new FuseMount(server, path);
        mounted.Greet();
        return mounted;
    }

    /// <summary>Takes the next request.</summary>
    /// <returns>Its length; 0 when the mount is gone.</returns>
    public int Take(byte[] request) => (int)Math.Max(0, Read(server, request, request.Length));

    /// <summary>Answers a request. One whose caller has been ended is answered to nobody.</summary>
    /// <param name="request">Its number.</param>
    /// <param name="errno">0 where it went well.</param>
    /// <param name="body">What is asked for.</param>
    public void Answer(ulong request, int errno, ReadOnlySpan<byte> body)
    {
        var answer = new byte[OutHeader + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(answer, answer.Length);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(4), -errno);
        BinaryPrimitives.WriteUInt64LittleEndian(answer.AsSpan(8), request);
        body.CopyTo(answer.AsSpan(OutHeader));
        _ = Write(server, answer, answer.Length);
    }

    /// <summary>It is gone, and whoever takes requests is told so; what is still answered is answered to nobody.</summary>
    public void End() => _ = Unmount(path, ForceAndDetach);

    public void Dispose()
    {
        End();
        server.Dispose();
    }

    private void Greet()
    {
        var request = new byte[RequestLength];
        if (Take(request) < InHeader)
            throw new InvalidOperationException($"The kernel did not greet: {Error()}");
        var answer = new byte[Greeting];
        BinaryPrimitives.WriteInt32LittleEndian(answer, 7); // The protocol is 7.31.
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(4), 31);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(12), LooksUpSideBySide);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(20), 4096); // The longest write.
        Answer(BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(8)), 0, answer);
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
