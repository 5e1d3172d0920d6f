namespace Storage.HostTests;

/// <summary>
/// A stand-in for mount(8) where the kernel has no CIFS: writes down how it was called, and mounts an empty memory file system with the share's
/// name. What mount.cifs does with the password is not tested by it.
/// </summary>
internal sealed class StandInMount : IDisposable
{
    private readonly ScriptFolder folder = new();
    private readonly string? path = Environment.GetEnvironmentVariable("PATH");

    public StandInMount()
    {
        var real = Requires.Tool("mount");
        Requires.Tool("mount.cifs");
        var tool = folder.Script($"""
            printf '%s\n' "$@" > {folder.Path}/arguments
            printf '%s' "$PASSWD_FD" > {folder.Path}/descriptor
            cat > {folder.Path}/input
            tr '\0' '\n' < /proc/self/environ > {folder.Path}/environment
            for source; do last2=$last; last=$source; done
            exec {real} -t tmpfs -o size=1m "$last2" "$last"
            """);
        File.Move(tool, Path.Combine(folder.Path, "mount"));
        Environment.SetEnvironmentVariable("PATH", $"{folder.Path}:{path}");
    }

    /// <summary>What it wrote down: <c>arguments</c>, <c>descriptor</c> (PASSWD_FD), <c>input</c>, <c>environment</c>.</summary>
    public string Told(string what) => File.ReadAllText(Path.Combine(folder.Path, what));

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", path);
        folder.Dispose();
    }
}
