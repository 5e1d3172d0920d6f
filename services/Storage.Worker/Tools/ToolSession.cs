using System.Globalization;
using System.Text;

namespace Storage.Worker;

/// <summary>A tool with everything that it started, except what made a session of its own.</summary>
/// <param name="leader">The tool's process, which began the session.</param>
internal sealed class ToolSession(int leader)
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>The processes that began a session and have a variable, <c>NAME=VALUE</c>.</summary>
    public static IReadOnlyList<int> LeadersWith(string variable) =>
        [.. All().Where(entry => entry.Process == entry.Status.Session && HasVariable(entry.Process, variable)).Select(entry => entry.Process)];

    /// <summary>One of them is left.</summary>
    public bool IsAlive => Processes().Any();

    /// <summary>
    /// Kills all of them. One that sleeps deaf in the kernel goes when it wakes up.
    /// </summary>
    public void Kill()
    {
        if (leader <= 1)
            return;
        _ = LibC.Kill(-leader, LibC.KillSignal);
        foreach (var (process, _) in Processes())
            _ = LibC.Kill(process, LibC.KillSignal);
    }

    /// <summary>Ends when none is left.</summary>
    public async Task GoneAsync(CancellationToken cancellationToken)
    {
        for (var pause = FirstLook; Processes().Any(); pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Another one each time as long as any of them uses the processor, reads, writes, starts or ends.</summary>
    public string SignOfLife()
    {
        var sign = new StringBuilder();
        foreach (var (process, status) in Processes())
            sign.Append(CultureInfo.InvariantCulture, $"{process} {status.Ticks} {Account(process)}\n");
        return sign.ToString();
    }

    private IEnumerable<(int Process, ProcessStatus Status)> Processes() => All().Where(entry => entry.Status.Session == leader);

    private static IEnumerable<(int Process, ProcessStatus Status)> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                && ProcessStatus.Read(process) is { Ended: false } status)
                yield return (process, status);
        }
    }

    private static bool HasVariable(int process, string variable)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/environ")).Split('\0').Contains(variable);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>What it has read and written; empty where the process is gone, or another user's.</summary>
    private static string Account(int process)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/io"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
