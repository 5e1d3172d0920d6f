using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Storage.Worker;

/// <summary>
/// The tools that a worker has running, on record in its state folder. A worker that is killed leaves them running; the next one ends
/// them before it goes on with what they were doing, so that nothing is done by two. What a tool left on purpose in a session of its own
/// (the process behind a FUSE mount) is no longer the tool and stays.
/// </summary>
/// <param name="folder">
/// Its entries are empty files, made, renamed and removed in one step each: <c>BOOT.MARK</c> from before a tool's start, then
/// <c>BOOT.PROCESS.STARTED</c>.
/// </param>
public sealed partial class StartedTools(string folder, ILogger log)
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    /// <summary>How long a killed tool is waited for.</summary>
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(5);

    /// <summary>A process's number is used again after the next boot, and its start is counted from there.</summary>
    private static readonly string Boot = File.ReadAllText(BootId).Trim();

    /// <summary>Puts a tool on record that is about to be started, until what is returned is disposed of.</summary>
    public ToolNote Expect() => new(folder);

    /// <summary>Ends what an earlier process left running. Comes before anything of this one is noted.</summary>
    public async Task EndLeftAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            foreach (var leader in LeadersOf(Path.GetFileName(path)))
                await EndAsync(new ToolSession(leader), leader, cancellationToken);
            File.Delete(path);
        }
    }

    private async Task EndAsync(ToolSession session, int leader, CancellationToken cancellationToken)
    {
        if (!session.IsAlive)
            return;
        session.Kill();
        try
        {
            await session.GoneAsync(cancellationToken).WaitAsync(KillGrace, cancellationToken);
            Ended(leader);
        }
        catch (TimeoutException)
        {
            StillThere(leader, KillGrace.TotalSeconds);
        }
    }

    private static IEnumerable<int> LeadersOf(string name)
    {
        if (ParseName(name) is var (leader, started))
            return StartOf(leader) is var now && (now is null || now == started) ? [leader] : [];
        return name.StartsWith($"{Boot}.", StringComparison.Ordinal) ? ToolSession.LeadersWith($"{ToolNote.Variable}={name[(Boot.Length + 1)..]}") : [];
    }

    internal static string NameOf(string mark) => $"{Boot}.{mark}";

    /// <summary>Null where the process has ended.</summary>
    internal static string? NameOf(int leader) =>
        StartOf(leader) is { } started ? string.Create(CultureInfo.InvariantCulture, $"{Boot}.{leader}.{started}") : null;

    private static (int Leader, long Started)? ParseName(string name) =>
        name.Split('.') is [var boot, var leader, var started] && boot == Boot
            && int.TryParse(leader, NumberStyles.None, CultureInfo.InvariantCulture, out var process)
            && long.TryParse(started, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            ? (process, start)
            : null;

    /// <summary>Null where the process has ended. Its number is nobody else's as long as anything of its session is left.</summary>
    private static long? StartOf(int process) => ProcessStatus.Read(process) is { Ended: false } status ? status.Started : null;

    [LoggerMessage(3505, LogLevel.Warning, "The tool that was running as process {Process} when the worker was killed is ended")]
    private partial void Ended(int process);

    [LoggerMessage(3506, LogLevel.Error, "The tool that was running as process {Process} when the worker was killed is still there {Seconds} s after its own kill: the kernel does not let it go")]
    private partial void StillThere(int process, double seconds);
}
