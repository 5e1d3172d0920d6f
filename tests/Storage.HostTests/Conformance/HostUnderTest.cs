using System.Globalization;
using Storage.Contracts;
using Storage.Worker;

namespace Storage.HostTests;

/// <summary>
/// A host with its worker. The worker is driven by its messages, wherever it runs; what is on the host is made and looked at by the host's own
/// shell.
/// </summary>
public abstract class HostUnderTest : IAsyncDisposable
{
    /// <summary>What the worker has told so far, also of others' operations where the host is shared.</summary>
    public abstract IEnumerable<StorageEvent> Events { get; }

    /// <param name="source">The other pool that the command reads from.</param>
    /// <param name="sourceVolume">The volume of that pool, as it was last seen.</param>
    /// <returns>The operation's terminal event.</returns>
    public abstract Task<StorageEvent> RunAsync(
        PoolDefinition pool, ICommand command, Guid? id = null, PoolDefinition? source = null, VolumeDefinition? sourceVolume = null);

    /// <summary>Gives the worker an operation, and waits for nothing.</summary>
    public abstract Task DeliverAsync(Guid id, PoolDefinition pool, ICommand command);

    /// <summary>Asks the worker to cancel an operation.</summary>
    public abstract Task CancelAsync(Guid id);

    /// <summary>The terminal event of an operation.</summary>
    public abstract Task<StorageEvent> EndOfAsync(Guid id);

    /// <summary>Runs a script to its end and gives what it printed. It ends at the first command that fails.</summary>
    /// <exception cref="InvalidOperationException">It failed; with what it said.</exception>
    public abstract string Shell(string script);

    public abstract ValueTask DisposeAsync();

    /// <summary>A new folder, without symbolic links in its path.</summary>
    public string NewFolder() => Shell("cd \"$(mktemp -d)\" && pwd -P").Trim();

    public bool Exists(string path) => Shell($"if [ -e {Quoted(path)} ]; then echo yes; fi").Length > 0;

    public bool IsMounted(string path) => MountTable.Parse(Shell("cat /proc/self/mountinfo")).Any(entry => entry.Target == path);

    /// <summary>The names in a folder.</summary>
    public string[] Names(string folder) => Shell($"ls -A {Quoted(folder)}").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The size of the file system that a path is on, and what of it a user can get, in bytes.</summary>
    public (long Total, long Available) FileSystem(string path)
    {
        var figures = Shell($"stat -f -c '%S %b %a' {Quoted(path)}").Split(' ').Select(figure => long.Parse(figure, CultureInfo.InvariantCulture)).ToArray();
        return (figures[0] * figures[1], figures[0] * figures[2]);
    }

    /// <summary>Starts a process that has the file open, and makes it if need be.</summary>
    /// <returns>The process.</returns>
    public int Open(string path) => int.Parse(
        Shell($"sleep 600 >/dev/null 2>&1 </dev/null 3>>{Quoted(path)} & echo $!"), CultureInfo.InvariantCulture);

    public void Kill(int process) => Shell($"kill -9 {process}; while [ -e /proc/{process}/fd/3 ]; do sleep 0.1; done");

    public static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
