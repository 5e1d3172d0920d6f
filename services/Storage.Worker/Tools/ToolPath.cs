namespace Storage.Worker;

/// <summary>Finds programs as a shell would.</summary>
public static class ToolPath
{
    /// <summary>The directories of PATH, and those of the system's own tools, which a service's PATH often lacks.</summary>
    private static IEnumerable<string> Directories =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Concat(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
        .Where(Path.IsPathRooted)
        .Distinct();

    /// <summary>The PATH that tools are given.</summary>
    public static string Variable => string.Join(':', Directories);

    /// <summary>The absolute path of a program; null where the host has none that can be executed.</summary>
    public static string? Find(string program) =>
        program.Contains('/')
            ? Path.IsPathRooted(program) && IsExecutable(program) ? program : null
            : Directories.Select(directory => Path.Combine(directory, program)).FirstOrDefault(IsExecutable);

    private static bool IsExecutable(string path) => File.Exists(path) && LibC.Access(path, LibC.ExecutePermission) == 0;
}
