using System.Globalization;
using System.Text.Json;

namespace Storage.StandIns;

/// <summary>A cluster in a folder: what it knows in one file, locked while a command runs, and a file with the data of each volume.</summary>
internal sealed class SheepdogFolder
{
    private const string Variable = "STORAGE_STANDIN_SHEEPDOG";

    /// <summary>The one that it listens on.</summary>
    private const int Port = 7000;

    private readonly string folder;

    private SheepdogFolder(string folder) => this.folder = folder;

    public static SheepdogFolder Open(DogOptions options)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder && Directory.Exists(folder) && options.Port == Port)
            return new SheepdogFolder(folder);
        var refused = $"failed to connect to {options.Address}:{options.Port}: Connection refused";
        throw new DogException(DogExit.SystemFailure, refused, refused, "Failed to get node list");
    }

    public T Look<T>(Func<SheepdogCluster, T> look)
    {
        using var file = Lock();
        return look(Read(file));
    }

    /// <param name="written">What is printed when it is done.</param>
    public string Change(Action<SheepdogCluster> change, string? written = null)
    {
        using var file = Lock();
        var cluster = Read(file);
        var before = cluster.Vdis.ToList();
        change(cluster);
        foreach (var vdi in before.Where(vdi => !cluster.Vdis.Exists(other => other.Id == vdi.Id)))
            File.Delete(DataOf(vdi.Id));
        foreach (var vdi in cluster.Vdis.Where(vdi => vdi.From is not null && !before.Exists(other => other.Id == vdi.Id)))
        {
            if (File.Exists(DataOf(vdi.From!.Value)))
                File.Copy(DataOf(vdi.From.Value), DataOf(vdi.Id));
        }
        file.SetLength(0);
        JsonSerializer.Serialize(file, cluster);
        return written is null ? "" : written + "\n";
    }

    public string Read(string name, string? tag, IReadOnlyList<string> range) => Look(cluster =>
    {
        var vdi = cluster.Open(name, tag);
        var (offset, length) = Range(range, vdi.Size);
        using var output = Console.OpenStandardOutput();
        using var data = new FileStream(DataOf(vdi.Id), FileMode.OpenOrCreate);
        data.SetLength(Math.Max(data.Length, vdi.Size));
        data.Seek(offset, SeekOrigin.Begin);
        Copy(data, output, length);
        return "";
    });

    /// <summary>Takes what comes by the standard input, as far as there is room.</summary>
    public string Write(string name, IReadOnlyList<string> range) => Change(cluster =>
    {
        var vdi = cluster.Open(name, null);
        var (offset, length) = Range(range, vdi.Size);
        using var input = Console.OpenStandardInput();
        using var data = new FileStream(DataOf(vdi.Id), FileMode.OpenOrCreate);
        data.Seek(offset, SeekOrigin.Begin);
        if (Copy(input, data, length) is > 0 and var written)
            cluster.Written(vdi, offset, written);
    });

    private static (long Offset, long Length) Range(IReadOnlyList<string> range, long size)
    {
        var offset = range.Count > 0 ? VdiSize.Parse(range[0], "vdi read <vdiname> [<offset> [<len>]]") : 0;
        var length = range.Count > 1 ? VdiSize.Parse(range[1], "vdi read <vdiname> [<offset> [<len>]]") : size;
        return (offset, Math.Clamp(length, 0, Math.Max(0, size - offset)));
    }

    private static long Copy(Stream from, Stream to, long length)
    {
        var buffer = new byte[1 << 20];
        long copied = 0;
        while (copied < length && from.Read(buffer, 0, (int)Math.Min(buffer.Length, length - copied)) is > 0 and var read)
        {
            to.Write(buffer, 0, read);
            copied += read;
        }
        return copied;
    }

    private static SheepdogCluster Read(FileStream file) =>
        file.Length == 0 ? new SheepdogCluster() : JsonSerializer.Deserialize<SheepdogCluster>(file)!;

    private string DataOf(uint id) => Path.Combine(folder, id.ToString("x", CultureInfo.InvariantCulture));

    private FileStream Lock()
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "cluster.json"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 3000)
            {
                Thread.Sleep(10);
            }
        }
    }
}
