using System.Text.RegularExpressions;

namespace Storage.Tests;

/// <summary>A document, and what libvirt 11.3 answered to it: recorded by <c>infra/libvirt/answers</c>.</summary>
/// <param name="Title">What it shows; for a volume the pool's type is in front.</param>
/// <param name="Document">Given to libvirt as it is.</param>
/// <param name="Answer">The document that libvirt made of it, or why it refused.</param>
/// <param name="Refused">libvirt's error number; null where it accepted.</param>
/// <param name="Ours">What Storage says instead: <c>accepted</c>, or a code and field. Null where it says the same.</param>
public sealed partial record AnsweredCase(string Title, string Document, string Answer, int? Refused, string? Ours)
{
    public static IReadOnlyDictionary<string, AnsweredCase> Read(string file)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Libvirt", file));
        return text.Split("=== ", StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToDictionary(answered => answered.Title);
    }

    private static AnsweredCase Parse(string text)
    {
        var match = Whole().Match(text);
        return match.Success
            ? new AnsweredCase(
                match.Groups["title"].Value,
                match.Groups["document"].Value,
                match.Groups["answer"].Value,
                match.Groups["number"] is { Success: true, Value: var number } ? int.Parse(number, null) : null,
                match.Groups["ours"] is { Success: true, Value: var ours } ? ours : null)
            : throw new FormatException(text);
    }

    [GeneratedRegex(
        @"\A(?<title>[^\n]*)\n(?<document>.*?)(?:--- ours: (?<ours>[^|\n]*) \| [^\n]*\n)?--- (?:accepted\n(?<answer>.*)|refused (?<number>\d+): (?<answer>.*))\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Whole();
}
