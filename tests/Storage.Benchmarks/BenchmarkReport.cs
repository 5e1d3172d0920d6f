using System.Text;
using System.Text.Json;

namespace Storage.Benchmarks;

/// <summary>What a run found: printed, and written as Markdown and JSON to <c>artifacts/benchmarks</c>.</summary>
internal static class BenchmarkReport
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The machine, for those who read figures.</summary>
    public static string Machine { get; } =
        $"{Environment.ProcessorCount} processors ({Processor()}), {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";

    /// <param name="name">Of the files.</param>
    /// <param name="conditions">What was measured, and how.</param>
    /// <param name="columns">Each with its title and what stands in it of a row.</param>
    public static void Write<T>(string name, string conditions, IReadOnlyList<T> rows, params IReadOnlyList<(string Title, Func<T, string> Cell)> columns) =>
        Write(name, $"{Machine}; {conditions}\n\n{Table(rows, columns)}", new { machine = Machine, conditions, rows });

    public static void Write(string name, string markdown, object json)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Environment.CurrentDirectory, "artifacts", "benchmarks")).FullName;
        File.WriteAllText(Path.Combine(folder, $"{name}.md"), markdown);
        File.WriteAllText(Path.Combine(folder, $"{name}.json"), JsonSerializer.Serialize(json, Json));
        Console.Write(markdown);
    }

    public static string Table<T>(IReadOnlyList<T> rows, params IReadOnlyList<(string Title, Func<T, string> Cell)> columns)
    {
        var text = new StringBuilder();
        Add(columns.Select(column => column.Title));
        text.Append('|').Insert(text.Length, "---|", columns.Count).Append('\n');
        foreach (var row in rows)
            Add(columns.Select(column => column.Cell(row)));
        return text.ToString();

        void Add(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    private static string Processor() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";
}
