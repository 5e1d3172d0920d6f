using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Storage.HostTests;

/// <param name="Kind">What is asked for.</param>
/// <param name="Thread">The kernel's number of the thread that waits for the answer.</param>
/// <param name="File">The number of the file that it is about; -1 for the directory.</param>
/// <param name="Answer">Ends the wait.</param>
internal sealed record FuseRequest(FuseOperation Kind, int Thread, int File, Action Answer);

/// <summary>As the kernel numbers them (linux/fuse.h).</summary>
internal enum FuseOperation
{
    Lookup = 1,
    Forget = 2,
    GetAttributes = 3,
    Open = 14,
    Read = 15,
    Statistics = 17,
    Release = 18,
    OpenDirectory = 27,
    ReadDirectory = 28,
    ReleaseDirectory = 29,
    ForgetMany = 42,
}

/// <summary>
/// A mount with one directory of raw files of 4 KiB, named <see cref="NameOf"/>, of which somebody says when each request is answered.
/// It keeps nothing in the kernel's caches: each look at a file asks it.
/// </summary>
internal sealed class SteeredFileSystem : IDisposable
{
    private const int FileSize = 4096;
    private const int NotFound = 2;
    private const int NotImplemented = 38;
    private const int RegularFile = 8;
    private const int Attributes = 88;
    private const ulong Directory = 1;
    private const int FirstFile = 2;

    private readonly FuseMount mount;
    private readonly int files;
    private readonly Action<FuseRequest> steer;
    private readonly Thread serving;

    private SteeredFileSystem(FuseMount mount, int files, Action<FuseRequest> steer)
    {
        (this.mount, this.files, this.steer) = (mount, files, steer);
        serving = new Thread(Serve) { IsBackground = true };
        serving.Start();
    }

    /// <param name="path">A directory.</param>
    /// <param name="files">How many are in it.</param>
    /// <param name="steer">Called with one request after the other; each is to be answered, now or later.</param>
    public static SteeredFileSystem Mount(string path, int files, Action<FuseRequest> steer) => new(FuseMount.Mount(path, "steered"), files, steer);

    public static string NameOf(int file) => string.Create(CultureInfo.InvariantCulture, $"file-{file:00000}");

    public void Dispose()
    {
        mount.End();
        serving.Join();
        mount.Dispose();
    }

    private void Serve()
    {
        var request = new byte[FuseMount.RequestLength];
        while (mount.Take(request) is > 0 and var length)
        {
            var kind = (FuseOperation)BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(4));
            if (kind is FuseOperation.Forget or FuseOperation.ForgetMany)
                continue;
            var number = BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(8));
            var node = BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(16));
            var thread = BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(32));
            var (errno, body) = Made(kind, node, request.AsSpan(FuseMount.InHeader, length - FuseMount.InHeader));
            steer(new FuseRequest(kind, thread, (int)node - FirstFile, () => mount.Answer(number, errno, body)));
        }
    }

    private (int Errno, byte[] Body) Made(FuseOperation kind, ulong node, ReadOnlySpan<byte> arguments) => kind switch
    {
        FuseOperation.Lookup => Find(Encoding.UTF8.GetString(arguments[..arguments.IndexOf((byte)0)])),
        FuseOperation.GetAttributes => (0, [.. new byte[16], .. AttributesOf(node)]),
        FuseOperation.Open or FuseOperation.OpenDirectory => (0, new byte[16]),
        FuseOperation.Read => (0, new byte[FileSize]),
        FuseOperation.ReadDirectory => (0, Entries(BinaryPrimitives.ReadInt64LittleEndian(arguments[8..]), BinaryPrimitives.ReadInt32LittleEndian(arguments[16..]))),
        FuseOperation.Statistics => (0, new byte[80]),
        FuseOperation.Release or FuseOperation.ReleaseDirectory => (0, []),
        _ => (NotImplemented, []),
    };

    private (int Errno, byte[] Body) Find(string name)
    {
        if (!name.StartsWith("file-", StringComparison.Ordinal) || !int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var file) || file >= files)
            return (NotFound, []);
        var entry = new byte[40];
        var node = (ulong)(file + FirstFile);
        BinaryPrimitives.WriteUInt64LittleEndian(entry, node);
        return (0, [.. entry, .. AttributesOf(node)]);
    }

    private static byte[] AttributesOf(ulong node)
    {
        var attributes = new byte[Attributes];
        var isDirectory = node == Directory;
        BinaryPrimitives.WriteUInt64LittleEndian(attributes, node);
        BinaryPrimitives.WriteInt64LittleEndian(attributes.AsSpan(8), FileSize);
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(60), isDirectory ? 0x41ED : 0x81A4); // Readable by all.
        BinaryPrimitives.WriteInt32LittleEndian(attributes.AsSpan(64), isDirectory ? 2 : 1);
        return attributes;
    }

    /// <summary>As many as fit, from one on.</summary>
    private byte[] Entries(long from, int size)
    {
        const int Header = 24;
        const int Alignment = 8;
        var entries = new MemoryStream();
        for (var file = (int)from; file < files; file++)
        {
            var name = Encoding.UTF8.GetBytes(NameOf(file));
            var entry = new byte[(Header + name.Length + Alignment - 1) / Alignment * Alignment];
            if (entries.Length + entry.Length > size)
                break;
            BinaryPrimitives.WriteInt64LittleEndian(entry, file + FirstFile);
            BinaryPrimitives.WriteInt64LittleEndian(entry.AsSpan(8), file + 1);
            BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(16), name.Length);
            BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(20), RegularFile);
            name.CopyTo(entry, Header);
            entries.Write(entry);
        }
        return entries.ToArray();
    }
}
