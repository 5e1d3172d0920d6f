using System.Text;
using System.Text.RegularExpressions;
using Storage.Contracts;

namespace Storage.Tests;

/// <summary>The parts of the contracts' README that are made from the contracts' own tables.</summary>
internal static partial class ContractsReadme
{
    public const string Path = "contracts/README.md";

    /// <summary>The text with its tables as they should be.</summary>
    public static string WithTables(string text)
    {
        foreach (var (name, table) in new[]
        {
            ("commands", Commands()), ("error codes", ErrorCodeTable()), ("pool types", PoolTypeTable()),
            ("pool operations", PoolOperationTable()), ("formats", Formats()),
        })
        {
            var (begin, end) = ($"<!-- begin {name} -->\n", $"<!-- end {name} -->");
            var (from, to) = (text.IndexOf(begin, StringComparison.Ordinal), text.IndexOf(end, StringComparison.Ordinal));
            if (from < 0 || to < from)
                throw new InvalidDataException($"{Path} has no lines '{begin.Trim()}' and '{end}'.");
            text = text[..(from + begin.Length)] + table + text[to..];
        }
        return text;
    }

    /// <summary>The examples of the README that begin with a kind, such as <c>json command</c>.</summary>
    public static IEnumerable<string> Examples(string text, string kind) =>
        Example().Matches(text).Where(match => match.Groups[1].Value == kind).Select(match => match.Groups[2].Value);

    private static string Commands() => Table(
        ["command", "acts on", "needs", "what it does"],
        CommandTypes.All.Select(command => new[]
        {
            Code(command.Name), command.Scope.ToString().ToLowerInvariant(), command.Needs == PoolOperations.None ? "" : Words(command.Needs),
            XmlComments.Of(command.Type) ?? "",
        }));

    private static string ErrorCodeTable() => Table(
        ["code", "HTTP status", "libvirt number"],
        ErrorCodes.All.Values.Select(code => new[] { Code(code.Name), $"{code.HttpStatus}", $"{code.LibvirtNumber}" }));

    private static string PoolTypeTable() => Table(
        ["type", "family", "scope", "required source", "target path", "default source format", "default volume format"],
        PoolTypes.All.Select(type => new[]
        {
            Code(type.Name), type.Family.ToString().ToLowerInvariant(), type.Scope.ToString().ToLowerInvariant(),
            type.RequiredSource == SourceParts.None ? "" : Words(type.RequiredSource),
            type.TargetPath.ToString().ToLowerInvariant(), Code(type.DefaultSourceFormat), Code(type.DefaultVolumeFormat),
        }));

    private static string PoolOperationTable()
    {
        var operations = Enum.GetValues<PoolOperations>().Where(operation => operation != PoolOperations.None).ToList();
        return Table(
            ["type", .. operations.Select(operation => Words(operation))],
            PoolTypes.All.Select(type => operations.Select(operation => type.Operations.HasFlag(operation) ? "yes" : "").Prepend(Code(type.Name)).ToArray()));
    }

    private static string Formats() => string.Concat(
        PoolTypes.All.Where(type => type.SourceFormats.Count > 0).Select(type => (Of: $"source of {Code(type.Name)}", List: type.SourceFormats))
            .Concat(PoolTypes.All.Where(type => type.VolumeFormats.Count > 0)
                .GroupBy(type => string.Join(' ', type.VolumeFormats))
                .Select(same => (Of: $"volumes of {string.Join(", ", same.Select(type => Code(type.Name)))}", List: same.First().VolumeFormats)))
            .Select(row => $"- {row.Of}: {string.Join(' ', row.List.Select(Code))}\n"));

    private static string Table(string[] head, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        foreach (var row in new[] { head, [.. head.Select(_ => "---")] }.Concat(rows))
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        return text.ToString();
    }

    private static string Code(string? name) => name is null ? "" : $"`{name}`";

    private static string Words(Enum value) => WordBreak().Replace(value.ToString(), " ").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex WordBreak();

    [GeneratedRegex("<!-- (json [a-z ]+) -->\n```json\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
