using System.Runtime.InteropServices;

namespace Storage.HostTests;

/// <summary>
/// A volume through libgfapi, as far as the tests need it. The connection is never closed: <c>glfs_fini</c> takes ten seconds, and ends
/// nothing that the end of the process does not.
/// </summary>
internal sealed partial class GlusterFiles
{
    private const string Library = "libgfapi.so.0";
    private const int CreateNew = 0xC1; // O_WRONLY | O_CREAT | O_EXCL
    private const int Port = 24007;

    private readonly nint volume;

    private GlusterFiles(nint volume) => this.volume = volume;

    /// <exception cref="IOException">The volume is not to be had, with the reason's number as its result.</exception>
    public static GlusterFiles Connect(string host, string name)
    {
        var volume = New(name);
        _ = SetServer(volume, "tcp", host, Port);
        _ = SetLogging(volume, "/dev/null", 0);
        return Init(volume) == 0 ? new GlusterFiles(volume) : throw Failure($"{host}/{name}");
    }

    public void Create(string path, byte[] content)
    {
        var file = Create(volume, path, CreateNew, 0x180);
        if (file == 0)
            throw Failure(path);
        var written = Write(file, content, content.Length, 0);
        if (Close(file) != 0 || written != content.Length)
            throw Failure(path);
    }

    public void Delete(string path)
    {
        if (Unlink(volume, path) != 0)
            throw Failure(path);
    }

    private static IOException Failure(string what) => new($"{what}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    [LibraryImport(Library, EntryPoint = "glfs_new", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint New(string volume);

    [LibraryImport(Library, EntryPoint = "glfs_set_volfile_server", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetServer(nint volume, string transport, string host, int port);

    [LibraryImport(Library, EntryPoint = "glfs_set_logging", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetLogging(nint volume, string file, int level);

    [LibraryImport(Library, EntryPoint = "glfs_init", SetLastError = true)]
    private static partial int Init(nint volume);

    [LibraryImport(Library, EntryPoint = "glfs_creat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Create(nint volume, string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "glfs_write", SetLastError = true)]
    private static partial nint Write(nint file, byte[] content, nint length, int flags);

    [LibraryImport(Library, EntryPoint = "glfs_close", SetLastError = true)]
    private static partial int Close(nint file);

    [LibraryImport(Library, EntryPoint = "glfs_unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(nint volume, string path);
}
