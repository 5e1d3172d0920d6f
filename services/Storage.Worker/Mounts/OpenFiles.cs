using System.Globalization;

namespace Storage.Worker;

/// <param name="Process">Its id.</param>
/// <param name="Name">The name of its program.</param>
public sealed record Holder(int Process, string Name)
{
    public override string ToString() => $"{Name} ({Process})";
}

/// <summary>
/// Who has files open, by the kernel's account (<c>/proc/PID/fd</c>, <c>cwd</c>, <c>root</c>). Storage that
/// hangs does not matter: it is not asked. Processes of other users are seen as root only.
/// </summary>
public static class OpenFiles
{
    private const int Named = 5;

    /// <summary>Processes that have something at or below a path open.</summary>
    public static IReadOnlyList<Holder> HoldersBelow(string path)
    {
        var below = path.TrimEnd('/') + "/";
        return Find(link => Target(link) is { } target && (target == path || target.StartsWith(below, StringComparison.Ordinal)));
    }

    /// <summary>
    /// Processes other than this one that have a file open, by whatever name. The kernel is asked for what it knows, not the storage,
    /// which may hang.
    /// </summary>
    internal static IReadOnlyList<Holder> HoldersOf(FileStatus file) => Find(
        link => LibC.Status(LibC.WorkingDirectory, link, LibC.WithoutAsking, LibC.BasicStatusAndBirth, out var held) == 0 && held.IsSameFile(file),
        except: Environment.ProcessId);

    /// <summary>Processes other than this one that have a block device open, by whatever name.</summary>
    internal static IReadOnlyList<Holder> HoldersOfDevice(string number) => Find(
        link => LibC.Status(LibC.WorkingDirectory, link, LibC.WithoutAsking, LibC.BasicStatusAndBirth, out var held) == 0
            && held.Kind == FileKind.BlockDevice && held.RawDevice == number,
        except: Environment.ProcessId);

    /// <summary>For a message: " by qemu (123) and 2 others"; empty where nobody is seen.</summary>
    public static string ByWhom<T>(IReadOnlyList<T> holders) => holders.Count switch
    {
        0 => "",
        <= Named => $" by {string.Join(", ", holders)}",
        _ => $" by {string.Join(", ", holders.Take(Named))} and {holders.Count - Named} others",
    };

    private static List<Holder> Find(Func<string, bool> isHeld, int? except = null)
    {
        var holders = new List<Holder>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id == except)
                continue;
            try
            {
                if (LinksOf(process).Any(isHeld))
                    holders.Add(new Holder(id, File.ReadAllText($"{process}/comm").Trim()));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has just ended, or is not ours to look at.
            }
        }
        return holders;
    }

    private static IEnumerable<string> LinksOf(string process) =>
        [$"{process}/cwd", $"{process}/root", .. Directory.EnumerateFileSystemEntries($"{process}/fd")];

    private static unsafe string? Target(string link)
    {
        const int Longest = 4096;
        var buffer = stackalloc byte[Longest];
        var length = LibC.ReadLink(link, buffer, Longest);
        return length < 0 ? null : System.Text.Encoding.UTF8.GetString(buffer, (int)length);
    }
}
