namespace Storage.HostTests;

/// <summary>A folder of the test with small shell scripts in the place of tools, and what they write.</summary>
internal sealed class ScriptFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("tools-").FullName;

    /// <summary>Where scripts write the numbers of processes, one in a line.</summary>
    public string Pids => System.IO.Path.Combine(Path, "pids");

    public string Script(string body)
    {
        var path = System.IO.Path.Combine(Path, "tool");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Of the processes that were written down, those that have not ended; a zombie has, and only waits for its parent.</summary>
    public IReadOnlyList<string> Alive() => [.. File.ReadAllLines(Pids).Where(pid => State(pid) is not (null or 'Z' or 'X'))];

    /// <summary>As in <c>/proc/PID/stat</c>; null where the process is gone.</summary>
    public static char? State(string pid)
    {
        try
        {
            var status = File.ReadAllText($"/proc/{pid}/stat");
            return status[status.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
