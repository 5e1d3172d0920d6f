using System.Text;

namespace Storage.Worker;

/// <param name="Device">The kernel's number of the file system's device, <c>major:minor</c>.</param>
/// <param name="Target">Where it is mounted.</param>
/// <param name="FileSystem">Its type, such as <c>ext4</c>, <c>nfs4</c>, <c>fuse.glusterfs</c>.</param>
/// <param name="Source">What is mounted, as mount was told.</param>
public sealed record MountEntry(string Device, string Target, string FileSystem, string Source);

/// <summary>
/// The mounts that this process sees, in the order in which they were made. Source of fact: <c>/proc/self/mountinfo</c>, proc(5). Reading
/// it touches none of the file systems, so it does not hang with them.
/// </summary>
public static class MountTable
{
    public static IReadOnlyList<MountEntry> Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>What is seen at a path: the last mount there; null where nothing is mounted.</summary>
    /// <param name="path">As <see cref="Resolve"/> gives it.</param>
    public static MountEntry? At(string path) => Read().LastOrDefault(entry => entry.Target == path);

    /// <summary>The path of a mount point without symbolic links. Its last part is not looked at: what is mounted there may hang.</summary>
    public static string Resolve(string path)
    {
        var trimmed = path.TrimEnd('/');
        var slash = trimmed.LastIndexOf('/');
        if (slash <= 0)
            return trimmed;
        var parent = RealPath(trimmed[..slash]);
        return parent is null ? trimmed : parent == "/" ? trimmed[slash..] : parent + trimmed[slash..];
    }

    public static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // 36 35 98:0 /root /target rw,noatime optional:1 … - type source options
            var fields = line.Split(' ');
            var separator = fields.Length > 6 ? Array.IndexOf(fields, "-", 6) : -1;
            if (separator < 0 || fields.Length < separator + 3)
                continue;
            entries.Add(new MountEntry(fields[2], Unescape(fields[4]), Unescape(fields[separator + 1]), Unescape(fields[separator + 2])));
        }
        return entries;
    }

    /// <summary>Blanks, tabs, newlines and backslashes stand there as three octal digits.</summary>
    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
            return field;
        var bytes = new List<byte>(field.Length);
        var utf8 = Encoding.UTF8.GetBytes(field);
        for (var i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] == '\\' && i + 3 < utf8.Length && IsOctal(utf8[i + 1]) && IsOctal(utf8[i + 2]) && IsOctal(utf8[i + 3]))
            {
                bytes.Add((byte)((utf8[i + 1] - '0') * 64 + (utf8[i + 2] - '0') * 8 + (utf8[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(utf8[i]);
            }
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static bool IsOctal(byte digit) => digit is >= (byte)'0' and <= (byte)'7';

    private static string? RealPath(string path)
    {
        using var handle = LibC.Open(path, OpenFlags.PathOnly | OpenFlags.CloseOnExec, 0);
        return handle.IsInvalid ? null : LocalDirectory.RealPath(handle);
    }
}
