using System.Globalization;

namespace Storage.Benchmarks.Services;

/// <summary>Processes and all that they started (proc(5)).</summary>
internal static class ProcessTree
{
    // After the name, which is in brackets: state, parent, … and as the 12th to 15th: own and ended children's time in user and kernel mode.
    private const int Parent = 1;
    private const int FirstTime = 11;
    private const int Times = 4;
    private const double TicksPerSecond = 100;

    /// <summary>Processor time of these processes, of all below them, and of those that have ended and were waited for.</summary>
    /// <param name="except">Processes that are left out, with all below them.</param>
    public static TimeSpan Cpu(IReadOnlyCollection<int> roots, IReadOnlyCollection<int>? except = null) =>
        TimeSpan.FromSeconds(Below(Read(), roots, except ?? []).Sum(row => row.Ticks) / TicksPerSecond);

    public static IReadOnlyCollection<int> ChildrenOf(int process) =>
        [.. Read().Values.Where(row => row.Parent == process).Select(row => row.Process)];

    /// <summary>The processes of a program, as the kernel names it, that this process has started or had started.</summary>
    public static IReadOnlyCollection<int> Named(string name) =>
        [.. Below(Read(), [Environment.ProcessId], []).Where(row => row.Name == name).Select(row => row.Process)];

    private static IEnumerable<Row> Below(Dictionary<int, Row> all, IReadOnlyCollection<int> roots, IReadOnlyCollection<int> except)
    {
        var children = all.Values.ToLookup(row => row.Parent, row => row.Process);
        var open = new Stack<int>(roots);
        while (open.TryPop(out var process))
        {
            if (except.Contains(process) || !all.TryGetValue(process, out var row))
                continue;
            yield return row;
            foreach (var child in children[process])
                open.Push(child);
        }
    }

    private static Dictionary<int, Row> Read()
    {
        var all = new Dictionary<int, Row>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process))
                continue;
            try
            {
                var text = File.ReadAllText($"{folder}/stat");
                var (opened, closed) = (text.IndexOf('('), text.LastIndexOf(')'));
                var fields = text[(closed + 2)..].Split(' ');
                all[process] = new Row(
                    process, text[(opened + 1)..closed], int.Parse(fields[Parent], CultureInfo.InvariantCulture),
                    fields.Skip(FirstTime).Take(Times).Sum(field => long.Parse(field, CultureInfo.InvariantCulture)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended.
            }
        }
        return all;
    }

    private sealed record Row(int Process, string Name, int Parent, long Ticks);
}
