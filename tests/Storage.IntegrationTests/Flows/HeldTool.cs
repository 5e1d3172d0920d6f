namespace Storage.IntegrationTests;

/// <summary>A stand-in for qemu-img that calls the real one, and holds conversions as long as it is told to: they are long then.</summary>
public sealed class HeldTool
{
    private const string Script = """
        #!/bin/sh
        if [ "$1" = convert ]; then
          touch STARTED
          while [ -e HOLD ]; do
            kill -0 $PPID || exit 1
            sleep 0.1
          done
        fi
        exec REAL "$@"

        """;

    private readonly string hold;

    /// <param name="folder">For the script; it goes to the front of PATH.</param>
    public HeldTool(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        hold = Path.Combine(folder, "hold");
        Started = Path.Combine(folder, "started");
        var real = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin")
            .Select(directory => Path.Combine(directory, "qemu-img")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException("The test needs qemu-img (package qemu-utils).");
        var script = Path.Combine(folder, "qemu-img");
        File.WriteAllText(script, Script.Replace("STARTED", Started, StringComparison.Ordinal)
            .Replace("HOLD", hold, StringComparison.Ordinal).Replace("REAL", real, StringComparison.Ordinal));
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(hold, "");
    }

    public string Folder { get; }

    /// <summary>Is there when a conversion has begun.</summary>
    public string Started { get; }

    public void Release() => File.Delete(hold);
}
