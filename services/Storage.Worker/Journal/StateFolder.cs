namespace Storage.Worker;

/// <summary>
/// The folder of a worker's journal, owned by one process at a time. The lock is an exclusive flock: the kernel frees it when the
/// process ends, however it ends, and tools that the process started do not inherit it.
/// </summary>
public sealed class StateFolder : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>EWOULDBLOCK: another open file has the flock.</summary>
    private const int WouldBlock = 11;

    private readonly FileStream lockFile;

    private StateFolder(string path, FileStream lockFile)
    {
        Path = path;
        this.lockFile = lockFile;
    }

    public string Path { get; }

    public string JournalPath => System.IO.Path.Combine(Path, "journal.db");

    public string ToolsPath => System.IO.Path.Combine(Path, "tools");

    /// <summary>Waits until no other process has the folder. It is made if need be, readable for its owner only.</summary>
    /// <param name="standby">Called once when it has to wait.</param>
    public static async Task<StateFolder> AcquireAsync(string path, Action standby, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("A worker runs on Linux.");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (TryAcquire(path) is { } free)
            return free;
        standby();
        using var timer = new PeriodicTimer(Poll);
        while (true)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            if (TryAcquire(path) is { } freed)
                return freed;
        }
    }

    private static StateFolder? TryAcquire(string path)
    {
        try
        {
            var file = System.IO.Path.Combine(path, "worker.lock");
            return new StateFolder(path, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return null;
        }
    }

    public void Dispose() => lockFile.Dispose();
}
