using Storage.Worker;

namespace Storage.HostTests;

/// <summary>What a run of the tests has on this machine.</summary>
/// <param name="Address">Of its servers.</param>
/// <param name="Folders">Of its servers.</param>
internal sealed record Holdings(string Address, string[] Folders)
{
    /// <summary>What there is of it on this machine: programs, mounts, loop devices, folders.</summary>
    public IReadOnlyList<string> Found() =>
    [
        .. Programs(),
        .. MountTable.Read().Where(entry => Folders.Any(entry.Target.StartsWith) || entry.Source.StartsWith(Address, StringComparison.Ordinal)).Select(entry => $"mount {entry.Target}"),
        .. Directory.EnumerateDirectories("/sys/block", "loop*").Select(Backing).Where(file => Folders.Any(file.StartsWith)).Select(file => $"loop {file}"),
        .. Folders.Where(Directory.Exists).Select(folder => $"folder {folder}"),
    ];

    private static string Backing(string device)
    {
        try
        {
            return File.ReadAllText($"{device}/loop/backing_file").TrimEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private IEnumerable<string> Programs()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            string words;
            try
            {
                words = File.ReadAllText($"{process}/cmdline");
            }
            catch (IOException)
            {
                continue;
            }
            if (words.Contains(Address, StringComparison.Ordinal) || Folders.Any(folder => words.Contains(folder, StringComparison.Ordinal)))
                yield return $"program {Path.GetFileName(words.Split('\0')[0])}";
        }
    }
}
