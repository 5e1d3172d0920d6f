namespace Storage.IntegrationTests;

/// <summary>The processes of this machine. One that has ended and was not waited for is none.</summary>
internal static class HostProcesses
{
    public static bool IsAlive(string process) => SessionOf($"/proc/{process}") is not null;

    /// <summary>A tool and all that it has started: they are in the session that it leads.</summary>
    public static IReadOnlyList<string> InSession(string leader) =>
        [.. Directory.EnumerateDirectories("/proc").Where(path => SessionOf(path) == leader).Select(path => Path.GetFileName(path))];

    private static string? SessionOf(string path)
    {
        try
        {
            // The name is in brackets and can have spaces and brackets in it.
            var line = File.ReadAllText($"{path}/stat");
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[3];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
