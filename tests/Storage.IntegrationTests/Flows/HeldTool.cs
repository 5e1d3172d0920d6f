namespace Storage.IntegrationTests;

/// <summary>
/// A stand-in for qemu-img that calls the real one, and holds conversions as long as it is told to: they are long then. It starts a process
/// of its own meanwhile, and does not go when its parent does.
/// </summary>
public sealed class HeldTool
{
    private const string Script = """
        #!/bin/sh
        if [ "$1" = convert ]; then
          { while [ -e HOLD ]; do sleep 0.1; done; } &
          echo $$ >> STARTED
          wait
        fi
        exec REAL "$@"

        """;

    private readonly string hold;
    private readonly string started;

    /// <param name="folder">For the script; it goes to the front of PATH.</param>
    public HeldTool(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        hold = Path.Combine(folder, "hold");
        started = Path.Combine(folder, "started");
        var real = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin")
            .Select(directory => Path.Combine(directory, "qemu-img")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("The test needs qemu-img (package qemu-utils).");
        var script = Path.Combine(folder, "qemu-img");
        File.WriteAllText(script, Script.Replace("STARTED", started, StringComparison.Ordinal)
            .Replace("HOLD", hold, StringComparison.Ordinal).Replace("REAL", real, StringComparison.Ordinal));
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(hold, "");
    }

    public string Folder { get; }

    /// <summary>The processes of the conversions that have begun.</summary>
    public IReadOnlyList<string> Started => File.Exists(started) ? File.ReadAllLines(started) : [];

    /// <summary>The process of the conversion, when it has begun.</summary>
    public Task<string> BegunAsync() =>
        Eventually.GetAsync("the conversion to begin", _ => Task.FromResult(Started is [var process, ..] ? process : null));

    public void Release() => File.Delete(hold);
}
