using System.Globalization;
using System.Text.RegularExpressions;

namespace Storage.Tests;

/// <summary>What a tool printed once, of one of its versions: recorded by <c>infra/record</c>.</summary>
/// <param name="Source">The file, for messages.</param>
/// <param name="Command">The call.</param>
/// <param name="ExitCode">How it ended.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Errors">Its standard error.</param>
public sealed partial record Recording(string Source, string Command, int ExitCode, string Output, string Errors)
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests/Storage.Tests/Recorded");

    /// <summary>All cases of all tools.</summary>
    public static IEnumerable<Recording> All() => Directory.GetFiles(Folder, "*.txt", SearchOption.AllDirectories).Select(Read);

    /// <summary>A case in every version that was recorded; there is at least one.</summary>
    public static IReadOnlyList<Recording> Of(string tool, string name)
    {
        var folder = Path.Combine(Folder, tool);
        var files = Directory.GetFiles(folder, $"{name}.txt", SearchOption.AllDirectories);
        return files.Length > 0 ? [.. files.Order(StringComparer.Ordinal).Select(Read)] : throw new FileNotFoundException($"{tool} has no recording '{name}'.");
    }

    private static Recording Read(string file)
    {
        var match = Whole().Match(File.ReadAllText(file));
        return match.Success
            ? new Recording(
                Path.GetRelativePath(Repository.Root, file),
                match.Groups["command"].Value,
                int.Parse(match.Groups["code"].ValueSpan, CultureInfo.InvariantCulture),
                match.Groups["output"].Value,
                match.Groups["errors"].Value)
            : throw new FormatException(file);
    }

    [GeneratedRegex(@"\A\$ (?<command>[^\n]*)\nexit (?<code>\d+)\n--- output\n(?<output>.*?)--- errors\n(?<errors>.*)\z", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Whole();
}
