using System.Globalization;
using System.Text.RegularExpressions;

namespace Storage.HostTests;

/// <summary>One call of a tool, and how it is to end.</summary>
/// <param name="Command">A line for the shell.</param>
/// <param name="ExitCode">Null: another than 0.</param>
/// <param name="Output">A pattern of the whole standard output.</param>
/// <param name="Errors">A pattern of the whole standard error.</param>
internal sealed record ToolCase(string Command, int? ExitCode, Regex Output, Regex Errors);

/// <summary>What a tool prints and how it ends, case by case in their order; the head of <c>dog.txt</c> says how it is written.</summary>
internal static partial class ToolTable
{
    public static IReadOnlyList<ToolCase> Read(string name)
    {
        var cases = new List<ToolCase>();
        string? command = null;
        int? exit = 0;
        List<string> output = [], errors = [];
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "tables", name)).SkipWhile(line => !line.StartsWith("=== ", StringComparison.Ordinal)))
        {
            var (kind, rest) = line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank ? (line[..blank], line[(blank + 1)..]) : (line, "");
            switch (kind)
            {
                case "$":
                    Close();
                    command = rest;
                    break;
                case "exit":
                    exit = rest == "{n}" ? null : int.Parse(rest, CultureInfo.InvariantCulture);
                    break;
                case "out":
                    output.Add(rest);
                    break;
                case "err":
                    errors.Add(rest);
                    break;
                case "===" or "":
                    break;
                default:
                    throw new FormatException($"{name}: {line}");
            }
        }
        Close();
        return cases;

        void Close()
        {
            if (command is not null)
                cases.Add(new ToolCase(command, exit, Pattern(output), Pattern(errors)));
            (exit, output, errors) = (0, [], []);
        }
    }

    private static Regex Pattern(List<string> lines) => new(
        lines is ["..."] ? @"\A.*\z" : $@"\A{string.Concat(lines.Select(line => Line(line) + "\n")).TrimEnd('\n')}\n*\z",
        RegexOptions.Singleline | RegexOptions.CultureInvariant);

    private static string Line(string line) => Placeholder().Replace(Regex.Escape(line), placeholder => placeholder.Value[2] switch
    {
        'n' => "[0-9]+",
        'x' => "[0-9a-f]+",
        _ => @"[^\n]*",
    });

    [GeneratedRegex(@"\\\{[nx]}|\\\{\\\*}")]
    private static partial Regex Placeholder();
}
