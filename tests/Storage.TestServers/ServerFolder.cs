using System.Diagnostics;

namespace Storage.TestServers;

/// <summary>
/// A folder for servers that goes when it is disposed, or when this process has ended, however it did: a small shell removes it as soon
/// as its standard input is closed, which the kernel does also after SIGKILL. The servers in it are ended by their own guards.
/// </summary>
public sealed class ServerFolder : IDisposable
{
    // A server that is just being killed may still write: until nothing comes back.
    private const string Guard = """
        exec >/dev/null 2>&1
        cat
        for _ in $(seq 100); do
          rm -rf --one-file-system "$1"
          sleep 0.1
          [ -e "$1" ] || exit 0
        done
        """;

    private readonly Process guard;

    public ServerFolder(string prefix)
    {
        Path = Directory.CreateTempSubdirectory(prefix).FullName;
        // A session of its own: Ctrl+C in the terminal ends the tests and leaves the rest to the guards.
        guard = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Guard, "guard", Path]) { RedirectStandardInput = true })!;
    }

    public string Path { get; }

    public void Dispose()
    {
        guard.StandardInput.Close();
        guard.WaitForExit();
        guard.Dispose();
    }
}
