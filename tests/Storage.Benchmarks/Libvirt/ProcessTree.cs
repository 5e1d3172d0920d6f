using System.Globalization;

namespace Storage.Benchmarks.Libvirt;

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
    public static TimeSpan Cpu(IReadOnlyCollection<int> roots, IReadOnlyCollection<int>? except = null)
    {
        var all = Read();
        var children = all.ToLookup(row => row.Value.Parent, row => row.Key);
        var ticks = 0L;
        var open = new Stack<int>(roots);
        while (open.TryPop(out var process))
        {
            if (except?.Contains(process) == true || !all.TryGetValue(process, out var row))
                continue;
            ticks += row.Ticks;
            foreach (var child in children[process])
                open.Push(child);
        }
        return TimeSpan.FromSeconds(ticks / TicksPerSecond);
    }

    public static IReadOnlyCollection<int> ChildrenOf(int process) =>
        [.. Read().Where(row => row.Value.Parent == process).Select(row => row.Key)];

    /// <summary>The processes of a program, as the kernel names it.</summary>
    public static IReadOnlyCollection<int> Named(string name) => [.. Directory.EnumerateDirectories("/proc")
        .Where(folder => File.Exists($"{folder}/comm") && File.ReadAllText($"{folder}/comm").Trim() == name)
        .Select(folder => int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture))];

    private static Dictionary<int, (int Parent, long Ticks)> Read()
    {
        var all = new Dictionary<int, (int, long)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process))
                continue;
            try
            {
                var text = File.ReadAllText($"{folder}/stat");
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                all[process] = (
                    int.Parse(fields[Parent], CultureInfo.InvariantCulture),
                    fields.Skip(FirstTime).Take(Times).Sum(field => long.Parse(field, CultureInfo.InvariantCulture)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended.
            }
        }
        return all;
    }
}
