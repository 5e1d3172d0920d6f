using System.Globalization;

namespace Storage.Worker;

/// <param name="Process">Its id.</param>
/// <param name="Name">The name of its program.</param>
public sealed record Holder(int Process, string Name)
{
    public override string ToString() => $"{Name} ({Process})";
}

/// <summary>
/// Who has files open, by the kernel's account (<c>/proc/PID/fd</c>, <c>cwd</c>, <c>root</c>). The links are read and not followed, so
/// that storage which hangs does not matter. Processes of other users are seen as root only.
/// </summary>
public static class OpenFiles
{
    private const int Named = 5;

    /// <summary>Processes that have something at or below a path open.</summary>
    public static IReadOnlyList<Holder> HoldersBelow(string path)
    {
        var below = path.TrimEnd('/') + "/";
        return Find(link => link == path || link.StartsWith(below, StringComparison.Ordinal));
    }

    /// <summary>Processes that have this file open.</summary>
    public static IReadOnlyList<Holder> HoldersOf(string path) => Find(link => link == path);

    /// <summary>For a message: " by qemu (123) and 2 others"; empty where nobody is seen.</summary>
    public static string ByWhom(IReadOnlyList<Holder> holders) => holders.Count switch
    {
        0 => "",
        <= Named => $" by {string.Join(", ", holders)}",
        _ => $" by {string.Join(", ", holders.Take(Named))} and {holders.Count - Named} others",
    };

    private static List<Holder> Find(Func<string, bool> isHeld)
    {
        var holders = new List<Holder>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                if (LinksOf(process).Any(link => link is not null && isHeld(link)))
                    holders.Add(new Holder(id, File.ReadAllText($"{process}/comm").Trim()));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has just ended, or is not ours to look at.
            }
        }
        return holders;
    }

    private static IEnumerable<string?> LinksOf(string process)
    {
        yield return Target($"{process}/cwd");
        yield return Target($"{process}/root");
        foreach (var file in Directory.EnumerateFileSystemEntries($"{process}/fd"))
            yield return Target(file);
    }

    private static unsafe string? Target(string link)
    {
        const int Longest = 4096;
        var buffer = stackalloc byte[Longest];
        var length = LibC.ReadLink(link, buffer, Longest);
        return length < 0 ? null : System.Text.Encoding.UTF8.GetString(buffer, (int)length);
    }
}
