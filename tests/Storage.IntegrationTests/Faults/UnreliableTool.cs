namespace Storage.IntegrationTests;

/// <summary>
/// A stand-in for qemu-img that calls the real one and, when told, fails, fails after it has taken effect, does nothing and says that it
/// did, leaves half a file, is slow, or hangs for a while.
/// </summary>
public sealed class UnreliableTool
{
    public static readonly string[] Moods = ["fail", "fail-after", "lie", "half", "slow", "hang"];

    private const string Script = """
        #!/bin/sh
        # Called with --version it tells the truth.
        mood=$(cat MOOD 2>/dev/null)
        case "$*" in *--version*) mood= ;; esac
        for word; do path=$last; last=$word; done
        case "$mood" in
          fail) echo "stand-in: no" >&2; exit 1 ;;
          fail-after) REAL "$@"; echo "stand-in: done, and failed" >&2; exit 1 ;;
          lie) exit 0 ;;
          half) echo QED >"$path"; exit 1 ;;
          slow) sleep 3 ;;
          hang) sleep 15 ;;
        esac
        exec REAL "$@"

        """;

    private readonly string mood;

    /// <summary>Where the real qemu-img is.</summary>
    public static string Real => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin")
        .Select(directory => Path.Combine(directory, "qemu-img")).FirstOrDefault(File.Exists)
        ?? throw new FileNotFoundException("Tests with a stand-in for qemu-img need the real one too (package qemu-utils).");

    /// <param name="folder">For the script; it goes to the front of PATH.</param>
    public UnreliableTool(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        mood = Path.Combine(folder, "mood");
        var script = Path.Combine(folder, "qemu-img");
        File.WriteAllText(script, Script.Replace("MOOD", mood, StringComparison.Ordinal).Replace("REAL", Real, StringComparison.Ordinal));
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Folder { get; }

    public void Turn(string? to)
    {
        if (to is null)
            File.Delete(mood);
        else
            File.WriteAllText(mood, to);
    }
}
